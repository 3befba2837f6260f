"""crash_test.py with its tables in a real PostgreSQL server, which lives on while the command dies.

Usage: postgres_server.sh postgres_crash_test.py PATH-OF-WINDROW
"""
import shutil

import cli_case
import crash_test
from durable_case import JOB, WINDOWS
from postgres_job_test import URL, ask

# A repeated dead letter is told by its id; those of SQLite are replaced, these are ignored.
KEEP_HISTORY = "".join(f"""
CREATE TABLE {kind} (id text PRIMARY KEY, window_start bigint NOT NULL, window_end bigint, user_id text, views bigint,
  pane_version bigint, pane_index bigint, pane_timing text, is_last boolean, deleted boolean, drained boolean);
CREATE TABLE {kind}_history (id text, version_before bigint, version bigint, views_before bigint, views bigint);
CREATE FUNCTION {kind}_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO {kind}_history
  VALUES (old.id, old.pane_version, new.pane_version, old.views, new.views); RETURN new; END $$;
CREATE TRIGGER {kind}_updates AFTER UPDATE ON {kind} FOR EACH ROW EXECUTE FUNCTION {kind}_update();
""" for kind in WINDOWS) + """
CREATE TABLE bad (id text PRIMARY KEY, element text, msg text, reason text, source text, partition text, "offset" bigint,
  line bigint, window_start bigint, window_end bigint, pane_version bigint);
CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM bad WHERE id = new.id) THEN RETURN NULL; END IF; RETURN new; END $$;
CREATE TRIGGER once BEFORE INSERT ON bad FOR EACH ROW EXECUTE FUNCTION once();
"""


class PostgresCrashTest(crash_test.CrashTest):
    job = JOB.replace("WriteToSqlite", "WriteToPostgres").replace("path: out.db", f'url: "{URL}"')
    passes = (1, 10)
    test_a_spool_keeps_standard_input = None  # the sink does not matter there

    def points(self):  # those at which a table may have changed
        points = [point for point in super().points() if point.startswith(("batch.", "sink."))]
        self.assertGreater(len(points), 5)
        return points

    def fresh(self):
        for name in ("state", "files"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + KEEP_HISTORY)

    def ask(self, query):
        return ask(query.replace(", offset", ', "offset"').replace("AND 0)", "AND false)")).splitlines()


if __name__ == "__main__":
    cli_case.main()
