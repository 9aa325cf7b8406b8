"""The ledger's tables, made and brought up to date by `migrate`.

`ondol.event` is append-only, enforced by a trigger: what happened to a file stays told. Each event has one place in
the history (its unique key), so that a stage which is run again tells nothing twice.
"""

from __future__ import annotations

from typing import Any

MIGRATIONS = (
    """
    CREATE TABLE ondol.event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text NOT NULL,
        run_key text NOT NULL,
        stage text NOT NULL,
        sha256 text NOT NULL DEFAULT '',
        name text NOT NULL DEFAULT '',
        source text NOT NULL DEFAULT '',
        location text NOT NULL DEFAULT '',
        arrived timestamptz,
        item text NOT NULL DEFAULT '',
        period_start date,
        period_end date,
        part text NOT NULL DEFAULT '',
        rules text NOT NULL DEFAULT '',
        decision text NOT NULL,
        reason text NOT NULL DEFAULT '',
        detail jsonb NOT NULL DEFAULT '{}',
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE NULLS NOT DISTINCT (tenant, run_key, stage, sha256, name, location, item, period_start, part, rules,
                                   decision, reason)
    );
    CREATE INDEX event_by_content ON ondol.event (tenant, sha256, stage);
    CREATE INDEX event_by_time ON ondol.event (tenant, id);
    CREATE TABLE ondol.quarantine (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text NOT NULL,
        run_key text NOT NULL,
        stage text NOT NULL,
        sha256 text NOT NULL,
        name text NOT NULL,
        rules text NOT NULL DEFAULT '',
        entry jsonb NOT NULL,
        reason text NOT NULL,
        remedy text NOT NULL,
        evidence jsonb NOT NULL DEFAULT '{}',
        state text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'released', 'passed', 'dropped')),
        accept boolean NOT NULL DEFAULT false,
        as_item text NOT NULL DEFAULT '',
        note text NOT NULL DEFAULT '',
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        resolved_at timestamptz,
        UNIQUE (tenant, stage, sha256, name, rules)
    );
    CREATE INDEX quarantine_by_content ON ondol.quarantine (tenant, sha256);
    CREATE FUNCTION ondol.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'ondol.event is append-only: % is refused', TG_OP;
    END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ondol.event
        FOR EACH STATEMENT EXECUTE FUNCTION ondol.refuse();
    """,
    """
    CREATE TABLE ondol.change (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        who text NOT NULL,
        action text NOT NULL,
        kind text NOT NULL,
        name text NOT NULL,
        before json,
        after json,
        file_before text NOT NULL,
        file_after text NOT NULL,
        state text NOT NULL CHECK (state IN ('begun', 'done', 'undone', 'unknown'))
    );
    CREATE INDEX event_kept_back ON ondol.event (tenant, sha256) WHERE stage = 'filter' AND decision = 'paused';
    CREATE INDEX change_by_tenant ON ondol.change (tenant, id);
    CREATE FUNCTION ondol.only_settle() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.state = 'begun' AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'ondol.change is append-only: % is refused', TG_OP;
    END $$;
    CREATE TRIGGER only_settle BEFORE UPDATE OR DELETE ON ondol.change
        FOR EACH ROW EXECUTE FUNCTION ondol.only_settle();
    CREATE TRIGGER append_only BEFORE TRUNCATE ON ondol.change
        FOR EACH STATEMENT EXECUTE FUNCTION ondol.only_settle();
    CREATE TABLE ondol.request (
        tenant text NOT NULL,
        who text NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        status int NOT NULL,
        body text NOT NULL,
        headers jsonb NOT NULL,
        change bigint REFERENCES ondol.change,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (tenant, who, key)
    );
    CREATE TABLE ondol.pause (
        tenant text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('sources', 'items')),
        name text NOT NULL,
        since timestamptz NOT NULL DEFAULT clock_timestamp(),
        by text NOT NULL,
        why text NOT NULL,
        PRIMARY KEY (tenant, kind, name)
    );
    CREATE TABLE ondol.collection (
        tenant text NOT NULL,
        id text NOT NULL,
        who text NOT NULL,
        date date NOT NULL,
        items text[] NOT NULL,
        state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'running', 'done', 'failed')),
        reason text NOT NULL DEFAULT '',
        counts json NOT NULL DEFAULT '{}',
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended timestamptz,
        PRIMARY KEY (tenant, id)
    );
    """,
    """
    CREATE TABLE ondol.collected (
        tenant text NOT NULL,
        source text NOT NULL,
        key bytea NOT NULL,
        location text NOT NULL,
        version text NOT NULL,
        handle bytea NOT NULL,
        run_key text NOT NULL,
        sha256 text NOT NULL,
        name text NOT NULL,
        size bigint NOT NULL,
        arrived timestamptz NOT NULL,
        tidied boolean NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (tenant, source, key)
    );
    CREATE INDEX collected_by_run ON ondol.collected (tenant, run_key, source);
    CREATE INDEX collected_untidied ON ondol.collected (tenant, source, at) WHERE NOT tidied;
    CREATE INDEX collected_refused ON ondol.collected (tenant, source) WHERE sha256 = '';
    CREATE TABLE ondol.cursor (
        tenant text NOT NULL,
        source text NOT NULL,
        value text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (tenant, source)
    );
    """,
)


def migrate(connection: Any) -> None:
    """Bring the ledger's schema up to date, in one transaction; several processes may call it at once."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('ondol.migration') IS NOT NULL")
        done = 0
        if cursor.fetchone()[0]:
            cursor.execute("SELECT count(*) FROM ondol.migration")
            done = cursor.fetchone()[0]
        if done >= len(MIGRATIONS):
            return
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('ondol.migration'))")
        cursor.execute("CREATE SCHEMA IF NOT EXISTS ondol")
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS ondol.migration (version int PRIMARY KEY, at timestamptz DEFAULT now())"
        )
        cursor.execute("SELECT count(*) FROM ondol.migration")
        for version in range(cursor.fetchone()[0], len(MIGRATIONS)):
            cursor.execute(MIGRATIONS[version])
            cursor.execute("INSERT INTO ondol.migration (version) VALUES (%s)", (version + 1,))
