"""The unified converter: any business file in, typed and traceable tables out.

    from converters import convert
    for table in convert("매출일보.xlsx").tables: ...
"""
