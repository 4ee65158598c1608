// A program for embedded-postgres.test.ts to kill: it owns a server, says which, and stays.

import path from "node:path";
import { startEmbeddedPostgres } from "./embedded-postgres.js";

const server = await startEmbeddedPostgres();
console.log(JSON.stringify({ pid: server.pid, home: path.dirname(server.logFile) }));
setInterval(() => {}, 60_000);
