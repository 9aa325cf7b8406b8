const tenant = dataform.projectConfig.vars.tenant;
["sales", "stores"].forEach((name) => declare({ schema: tenant, name }));
