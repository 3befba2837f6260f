"""The main job into a real PostgreSQL server: its tables are those of SQLite.

Usage: postgres_server.sh postgres_job_test.py PATH-OF-WINDROW
"""
import glob
import json
import os
import pathlib
import sqlite3
import subprocess
import time

import cli_case
from cli_case import CliCase, EXAMPLES

URL = os.environ["POSTGRES_URL"]  # set by postgres_server.sh
PSQL = sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1]
CREATED = "create_table: true, "


def ask(sql):
    done = subprocess.run([PSQL, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-At", "-c", sql, URL], text=True,
                          capture_output=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


class PostgresJobTest(CliCase):
    def setUp(self):
        super().setUp()
        ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self.windrow("gen", "pageviews", "--events", 30000, "--out", "data")
        views = sorted((self.path / "data").glob("*.ndjson"))
        self.views = self.file("views.ndjson", "".join(path.read_text() for path in views))

    def run_job(self, path, **env):
        return self.windrow("run", path, "--input", self.views, "--until-eof", "--json",
                            env={"POSTGRES_URL": URL, "WINDROW_DB": str(self.path / "out.db"), **env})

    def test_the_tables_are_those_of_sqlite(self):
        for name in ("pageviews.yaml", "pageviews-postgres.yaml"):
            done = self.run_job(EXAMPLES / name)
            self.assertEqual(done.returncode, 0, done.stderr)
        columns = {"views_5m": "id, window_start, window_end, url, views, pane_index, pane_timing, is_last, "
                               "deleted, drained",
                   "top_pages_5m": "id, window_start, window_end, pages, pane_index, pane_timing, is_last, "
                                   "deleted, drained"}
        with sqlite3.connect(self.path / "out.db") as database:
            for table, names in columns.items():
                cursor = database.execute(f"SELECT {names} FROM {table} ORDER BY id")
                expected = [dict(zip(names.split(", "), row)) for row in cursor]
                self.assertGreater(len(expected), 10)
                for row in expected:
                    for name in ("is_last", "deleted", "drained"):
                        row[name] = bool(row[name])
                    if "pages" in row:
                        row["pages"] = json.loads(row["pages"])
                found = json.loads(ask(f"SELECT json_agg(row_to_json(t)) FROM (SELECT {names} FROM {table} "
                                       f"ORDER BY id) t"))
                self.assertEqual(found, expected)
                self.assertEqual(ask(f"SELECT count(*) FROM {table} WHERE pane_version > 1760000000000000"),
                                 str(len(expected)))
        self.assertEqual(ask("SELECT sink FROM _windrow_progress ORDER BY 1"), "SaveTop\nSaveViews")

    def test_a_password_comes_from_the_environment(self):
        ask("GRANT ALL ON SCHEMA public TO keeper")
        job = (EXAMPLES / "pageviews-postgres.yaml").read_text().replace(
            CREATED, CREATED + "username: keeper, password: {env: DB_PASSWORD}, connection_init_sql: "
                               "['CREATE TABLE IF NOT EXISTS begun (x int)'], ")
        path = self.file("job.yaml", job)
        done = self.run_job(path, DB_PASSWORD="secret", POSTGRES_URL="jdbc:" + URL.replace("&user=postgres", ""))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(ask("SELECT tableowner FROM pg_tables WHERE tablename = 'views_5m'"), "keeper")
        self.assertEqual(ask("SELECT tableowner FROM pg_tables WHERE tablename = 'begun'"), "keeper")
        wrong = self.run_job(path, DB_PASSWORD="hunter2")
        self.assertEqual(wrong.returncode, 69, wrong.stderr)
        self.assertIn('password authentication failed for user "keeper"', wrong.stderr)
        self.assertNotIn("hunter2", wrong.stdout + wrong.stderr)
        unset = self.run_job(path)
        self.assertEqual(unset.returncode, 78, unset.stderr)
        self.assertIn("DB_PASSWORD", unset.stderr)

    def test_a_table_that_is_not_there_is_refused_at_the_start(self):
        job = (EXAMPLES / "pageviews-postgres.yaml").read_text().replace(CREATED, "")
        done = self.run_job(self.file("job.yaml", job))
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("the table must exist; create it or set create_table: true", done.stderr)

    def test_what_the_table_refuses_goes_to_the_error_output(self):
        self.assertEqual(self.run_job(EXAMPLES / "pageviews-postgres.yaml").returncode, 0)
        rows = int(ask("SELECT count(*) FROM views_5m"))
        url = ask("SELECT url FROM views_5m GROUP BY url ORDER BY count(*) DESC, url LIMIT 1")
        refused = int(ask(f"SELECT count(*) FROM views_5m WHERE url = '{url}'"))
        self.assertGreater(refused, 20)
        ask(f"DELETE FROM views_5m; ALTER TABLE views_5m ADD CHECK (url <> '{url}')")
        done = self.run_job(EXAMPLES / "pageviews-postgres.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(int(ask("SELECT count(*) FROM views_5m")), rows - refused)
        letters = [json.loads(line) for line in (self.path / "refused-views").read_text().splitlines()]
        self.assertEqual(len(letters), refused)
        for letter in letters:
            self.assertIn('violates check constraint "views_5m_url_check" (SQLSTATE 23514)', letter["msg"])

    def test_a_table_that_goes_away_stops_the_job_until_it_is_back(self):
        job = (EXAMPLES / "pageviews-postgres.yaml").read_text().replace(
            "    - type: ReadFromKafka\n", "    - type: Generate\n")
        begin, end = job.index("      config:\n        topic"), job.index("    - type: AssignTimestamps")
        job = job[:begin] + "      config: {kind: pageviews, rate: 500}\n" + job[end:]
        job = job.replace("    - {type: WriteToJson, name: SaveBad, input: Views.bad, "
                          'config: {path: "${WINDROW_BAD:bad-views}"}}\n', "")
        path = self.file("job.yaml", job + "options: {windrow: {clock_rate: 600}}\n")
        process = subprocess.Popen([cli_case.windrow, "run", str(path)], cwd=self.path, text=True,
                                   env={**os.environ, "POSTGRES_URL": URL}, stderr=subprocess.PIPE)
        try:
            self.wait_for("SELECT count(*) > 0 FROM views_5m", "t")
            ask("ALTER TABLE views_5m RENAME TO aside")
            time.sleep(2)
            before = ask("SELECT max(pane_version) FROM aside")
            time.sleep(1)
            self.assertEqual(ask("SELECT max(pane_version) FROM aside"), before)
            self.assertIsNone(process.poll())
            ask("ALTER TABLE aside RENAME TO views_5m")
            self.wait_for(f"SELECT max(pane_version) > {before} FROM views_5m", "t")
        finally:
            process.terminate()
            said = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 0, said)

    def wait_for(self, sql, answer):
        for _ in range(300):
            try:
                if ask(sql) == answer:
                    return
            except RuntimeError:
                pass  # not there yet
            time.sleep(0.1)
        self.fail(f"never: {sql}")


if __name__ == "__main__":
    cli_case.main()
