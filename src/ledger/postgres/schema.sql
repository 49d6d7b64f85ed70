-- An earlyhelp ledger on PostgreSQL 13 or later: its tables, the triggers that guard them, and three roles.
--
--   earlyhelp ledger-schema | psql -v ON_ERROR_STOP=1 DATABASE
--
-- It is run once, by somebody who may make roles and schemas, in the database that is to hold the ledger. One database holds one
-- ledger, in the schema "earlyhelp". If any of it fails, nothing of it is left.
--
-- Then each login gets one of the roles:
--
--   GRANT earlyhelp_writer TO "a login";   reads and appends: release, score, open, decide, correct, retire
--   GRANT earlyhelp_reader TO "a login";   reads: verify, log, replay, subject, checkpoint
--   GRANT earlyhelp_owner  TO "a login";   purges, and could take the guards away: nobody who decides about cases
--
-- Roles are the whole server's. Where it holds the ledgers of several teams, give each its own names (put others in place of
-- "earlyhelp_" below, three words), and let only those connect to a database who work with it.

BEGIN;

DO $roles$
DECLARE
  wanted text;
BEGIN
  IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'the ledger needs a database in UTF8';
  END IF;
  FOREACH wanted IN ARRAY ARRAY['earlyhelp_owner', 'earlyhelp_writer', 'earlyhelp_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
    END IF;
  END LOOP;
  -- Whoever is no superuser can only make tables for a role of which they are a member. Take it back afterwards.
  IF NOT pg_catalog.pg_has_role('earlyhelp_owner', 'MEMBER') THEN
    GRANT earlyhelp_owner TO CURRENT_USER;
  END IF;
END
$roles$;

CREATE SCHEMA earlyhelp AUTHORIZATION earlyhelp_owner;
SET LOCAL ROLE earlyhelp_owner;
SET LOCAL search_path = pg_catalog;

-- One row for each entry. The header is JSON, the very text that the hash goes over; kind and run repeat what stands in it.
CREATE TABLE earlyhelp.entry (
  seq bigint PRIMARY KEY,
  kind text NOT NULL,
  run text,
  header text NOT NULL,
  hash bytea NOT NULL
);
CREATE INDEX entry_of_kind ON earlyhelp.entry (kind);
CREATE INDEX entry_of_run ON earlyhelp.entry (run) WHERE run IS NOT NULL;

-- What can be taken out of an entry again, with the salt of its commitment.
CREATE TABLE earlyhelp.content (
  seq bigint PRIMARY KEY,
  subject text,
  salt bytea NOT NULL,
  content text NOT NULL
);
-- By hash: the index holds no pseudonym.
CREATE INDEX content_of_subject ON earlyhelp.content USING hash (subject) WHERE subject IS NOT NULL;
-- The planner's statistics would keep examples of values, also after a purge.
ALTER TABLE earlyhelp.content ALTER COLUMN subject SET STATISTICS 0;
ALTER TABLE earlyhelp.content ALTER COLUMN salt SET STATISTICS 0;
ALTER TABLE earlyhelp.content ALTER COLUMN content SET STATISTICS 0;

-- One row: the form of the tables, where the chain ends, and whether a purge still has to clear what it took out.
CREATE TABLE earlyhelp.head (
  one boolean PRIMARY KEY CHECK (one),
  format integer NOT NULL,
  entries bigint NOT NULL,
  hash bytea NOT NULL,
  wipe boolean NOT NULL
);
INSERT INTO earlyhelp.head
VALUES (true, 1, 0, sha256(convert_to('earlyhelp ledger, format 1', 'UTF8')), false);

CREATE FUNCTION earlyhelp.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'the ledger changes nothing and deletes nothing';
END
$$;

-- The head only goes on.
CREATE FUNCTION earlyhelp.go_on() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NEW.entries < OLD.entries OR NEW.format <> OLD.format
     OR (NEW.entries = OLD.entries AND NEW.hash <> OLD.hash) THEN
    RAISE EXCEPTION 'the head of the ledger does not go back';
  END IF;
  RETURN NEW;
END
$$;

-- Asked at the end of a transaction that deleted content: the same transaction must have appended a purge that names the entry.
CREATE FUNCTION earlyhelp.named_by_a_purge() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM earlyhelp.entry purge,
      LATERAL json_array_elements(purge.header::json #> '{facts,redacted}') named
    WHERE purge.kind = 'purge' AND purge.seq > OLD.seq AND purge.xmin = pg_current_xact_id()::xid
      AND OLD.seq BETWEEN (named ->> 0)::bigint AND (named ->> 1)::bigint
  ) THEN
    RAISE EXCEPTION 'the ledger takes content out by a purge alone';
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON earlyhelp.entry
  FOR EACH STATEMENT EXECUTE FUNCTION earlyhelp.refuse();
CREATE TRIGGER content_stays BEFORE UPDATE OR TRUNCATE ON earlyhelp.content
  FOR EACH STATEMENT EXECUTE FUNCTION earlyhelp.refuse();
CREATE CONSTRAINT TRIGGER content_goes_by_purge AFTER DELETE ON earlyhelp.content
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION earlyhelp.named_by_a_purge();
CREATE TRIGGER head_stays BEFORE DELETE OR TRUNCATE ON earlyhelp.head
  FOR EACH STATEMENT EXECUTE FUNCTION earlyhelp.refuse();
CREATE TRIGGER head_goes_on BEFORE UPDATE ON earlyhelp.head
  FOR EACH ROW EXECUTE FUNCTION earlyhelp.go_on();

-- Always: also in a session that passes for a replica.
ALTER TABLE earlyhelp.entry ENABLE ALWAYS TRIGGER entry_stays;
ALTER TABLE earlyhelp.content ENABLE ALWAYS TRIGGER content_stays;
ALTER TABLE earlyhelp.content ENABLE ALWAYS TRIGGER content_goes_by_purge;
ALTER TABLE earlyhelp.head ENABLE ALWAYS TRIGGER head_stays;
ALTER TABLE earlyhelp.head ENABLE ALWAYS TRIGGER head_goes_on;

REVOKE ALL ON SCHEMA earlyhelp FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA earlyhelp FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA earlyhelp FROM PUBLIC;

GRANT USAGE ON SCHEMA earlyhelp TO earlyhelp_writer, earlyhelp_reader;
GRANT SELECT ON earlyhelp.entry, earlyhelp.content, earlyhelp.head TO earlyhelp_writer, earlyhelp_reader;
GRANT INSERT ON earlyhelp.entry, earlyhelp.content TO earlyhelp_writer;
-- An append moves the head on. Nobody but the owner deletes, and the owner's triggers ask for a purge.
GRANT UPDATE (entries, hash) ON earlyhelp.head TO earlyhelp_writer;

COMMIT;
