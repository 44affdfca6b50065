"""Texts that mean something to ClickHouse, to a shell of it or to those who write SQL by hand."""

SQL = ["'", "''", "\\", "\\'", "' OR '1'='1", "' OR 1=1 --", "'; DROP TABLE weir_data.events; --", "') OR 1=1 --", "\") OR 1=1 --",
       "' UNION ALL SELECT 1 --", "'/**/OR/**/1=1/**/--", "1 OR 1=1", "0 OR sleep(3)", "`", "`; SELECT 1", "\" OR \"\"=\"",
       "x' AND 1=(SELECT count() FROM system.tables) --", "file('/etc/passwd')", "{p0:String}", "{t0:String}", "{a0:Array(String)}",
       "{t0:Identifier}", "$1", "%27%20OR%201=1", "'] OR 1=1 --", "\\\\' OR 1=1 --", "\\x27 OR 1=1", "\u02bc OR 1=1 --",
       "' FORMAT Null --", "' SETTINGS readonly=0 --", "; ATTACH TABLE x", "/*", "*/", "--", "#", "\n", "\t", "' || '",
       "visitors); DROP TABLE x", "(SELECT 1)", "currentUser()", "NULL", "toString(1)", "*", "%", "_", "?", ":x", "@@version",
       "<script>alert(1)</script>", "\U0001f4a3", "\u202e' OR 1=1", "a" * 150 + "'"]
