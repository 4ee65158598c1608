// The process that serves HTTP: forked by the supervisor, which starts it with a message.

import { once } from "node:events";
import { sessionOptions } from "../child/connections.js";
import { runChild } from "../child/run-child.js";
import { readListenAddress } from "../config/formats.js";
import { createPool } from "../db/pool.js";
import { describeError } from "../errors.js";
import { retryJobs } from "../queue/by-hand.js";
import { pauseWork, resumeWork } from "../queue/pause.js";
import { readLatestFailures } from "../queue/read-failures.js";
import { readOpenRanges } from "../queue/read-open-ranges.js";
import { reorgsChannel } from "../queue/reorgs.js";
import { redactTexts } from "../redact.js";
import { readBlockLife } from "../status/read-block-life.js";
import { createReadFigures } from "../status/read-figures.js";
import { readStatus } from "../status/read-status.js";
import { createEvents } from "./events.js";
import { createHandler } from "./handle.js";
import { listenForHttp } from "./listen.js";
import { listenForEvents } from "./listen-for-events.js";
import { createRoutes, statusAnswer } from "./routes.js";
import { createSharedRead } from "./shared-read.js";

/** However many look, the database is read so often at most. */
const readEveryMs = 1_000;
/** A statement for a page may take so long. */
const statementTimeoutMs = 5_000;

runChild("web", async (context) => {
  const { settings, log, redact, draining } = context;
  const { config, workerId } = settings;
  const address = readListenAddress(config.web.listen);
  if (address === null) throw new Error("web.listen is not set, and there is a process for it");
  // PostgreSQL's own address: a session that listens must be one.
  const pool = createPool({
    ...sessionOptions(config, workerId),
    statementTimeoutMs,
    ...settings.pool,
    counts: context.counts,
  });
  const describe = (error: unknown): string => redact(describeError(error, 300));
  const status = createSharedRead({
    read: () => readStatus(pool, { config, redact }),
    everyMs: readEveryMs,
    describe,
  });
  const figures = createSharedRead({ read: createReadFigures(pool), everyMs: readEveryMs, describe });
  const listener = listenForEvents(pool, {
    channels: [reorgsChannel(config.database.schema)],
    onEvent: () => events.tell("reorg", {}),
  });
  const events = createEvents({
    async read() {
      await listener.listen();
      return statusAnswer({ view: await context.look(), schema: await status() });
    },
    onLast: listener.unlisten,
  });
  const http = listenForHttp({
    address,
    directory: settings.runtimeDirectory,
    handle: createHandler({
      routes: createRoutes({
        look: context.look,
        status,
        figures,
        readBlock: (number) => readBlockLife(pool, number, redact),
        readFailures: async (limit) =>
          (await readLatestFailures(pool, limit)).map((each) => redactTexts(each, redact)),
        readRanges: (limit) => readOpenRanges(pool, limit),
        events,
        changes: {
          pause: () => pauseWork(pool, "over HTTP"),
          resume: () => resumeWork(pool),
          retry: (block) => retryJobs(pool, { from: block, to: block }),
        },
      }),
      hosts: config.web.hosts,
      token: config.web.token,
      onAnswered: (path, seconds) => context.counts.observe("blockmill_web_request_seconds", [path], seconds),
      onError: (error) => log.error({ err: error }, "a request could not be answered"),
    }),
    log,
  });
  await http.tried;
  context.report("idle");
  if (!draining.aborted) await once(draining, "abort");
  events.close();
  http.close();
  await pool.end();
});
