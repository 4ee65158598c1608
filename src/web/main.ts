// The process that serves HTTP: forked by the supervisor, which starts it with a message.

import { once } from "node:events";
import { sessionOptions } from "../child/connections.js";
import { runChild } from "../child/run-child.js";
import { readListenAddress } from "../config/formats.js";
import { createPool } from "../db/pool.js";
import { describeError } from "../errors.js";
import { historySeconds, readAlertHistory } from "../queue/alerts.js";
import { retryJobs } from "../queue/by-hand.js";
import { readMarks } from "../queue/marks.js";
import { pauseWork, resumeWork } from "../queue/pause.js";
import { readLatestFailures } from "../queue/read-failures.js";
import { readOpenRanges } from "../queue/read-open-ranges.js";
import { readReorgs } from "../queue/read-reorgs.js";
import { type Bounds, readBounds, readStrip } from "../queue/read-strip.js";
import { reorgsChannel } from "../queue/reorgs.js";
import { readSamples } from "../queue/samples.js";
import { redactTexts } from "../redact.js";
import { groupFailures } from "../status/group-failures.js";
import { readBlockLife } from "../status/read-block-life.js";
import { readDisk } from "../status/read-disk.js";
import { createReadFigures } from "../status/read-figures.js";
import { readStatus } from "../status/read-status.js";
import { tellWhy } from "../status/tell-why.js";
import { whyBlock } from "../status/why-block.js";
import { loadAssets } from "./assets.js";
import { createEvents } from "./events.js";
import { createHandler } from "./handle.js";
import { createKeyedRead } from "./keyed-read.js";
import { listenForHttp } from "./listen.js";
import { listenForEvents } from "./listen-for-events.js";
import { createRoutes, type Span, spans, statusAnswer } from "./routes.js";
import { createSharedRead } from "./shared-read.js";

/** However many look, the database is read so often at most. */
const readEveryMs = 1_000;
/** A statement for a page may take so long. */
const statementTimeoutMs = 5_000;
/** What changes slowly, or costs more, is read so often. */
const slowlyMs = { history: 5_000, failures: 5_000, reorgs: 5_000, disk: 60_000 };
const failuresWithinSeconds = 86_400;
const failureGroupsShown = 100;
const reorgsShown = 20;

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
  const chain = createKeyedRead({
    async read(key) {
      const { of, parts } = JSON.parse(key) as { of: Bounds | null; parts: number };
      const bounds = await readBounds(pool);
      const shown = of ?? bounds;
      return { bounds, strip: shown === null ? null : await readStrip(pool, { ...shown, parts }) };
    },
    everyMs: readEveryMs,
    describe,
  });
  const history = createKeyedRead({
    async read(span) {
      const { seconds, step } = spans[span as Span];
      const samples = await readSamples(pool, { step, withinSeconds: seconds });
      const marks = await readMarks(pool, seconds);
      return {
        now: Date.now() / 1_000,
        spanSeconds: seconds,
        step,
        samples: samples.map(({ endpoints, ...sample }) => ({
          ...sample,
          endpoints: Object.fromEntries(
            Object.entries(endpoints).map(([name, blocks]) => [redact(name), blocks]),
          ),
        })),
        marks: redactTexts(marks, redact),
      };
    },
    everyMs: slowlyMs.history,
    describe,
  });
  const failureGroups = createSharedRead({
    async read() {
      const groups = await groupFailures(pool, { withinSeconds: failuresWithinSeconds });
      return {
        withinSeconds: failuresWithinSeconds,
        groups: redactTexts(groups.slice(0, failureGroupsShown), redact),
      };
    },
    everyMs: slowlyMs.failures,
    describe,
  });
  const reorgs = createSharedRead({
    async read() {
      return { reorgs: redactTexts(await readReorgs(pool, reorgsShown), redact) };
    },
    everyMs: slowlyMs.reorgs,
    describe,
  });
  const disk = createSharedRead({ read: () => readDisk(pool), everyMs: slowlyMs.disk, describe });
  const listener = listenForEvents(pool, {
    channels: [reorgsChannel(config.database.schema)],
    onEvent: () => events.tell("reorg", {}),
  });
  const events = createEvents({
    async read() {
      await listener.listen();
      return statusAnswer({ view: await context.look(), schema: await status(), figures: await figures() });
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
        async readBlock(number) {
          const life = await readBlockLife(pool, number, redact);
          const why = redactTexts(await whyBlock(pool, number), redact);
          return { ...life, why, sentence: tellWhy(number, why) };
        },
        readFailures: async (limit) =>
          (await readLatestFailures(pool, limit)).map((each) => redactTexts(each, redact)),
        readRanges: (limit) => readOpenRanges(pool, limit),
        chain: (of, parts) => chain(JSON.stringify({ of, parts })),
        history,
        failureGroups,
        reorgs,
        disk,
        assets: loadAssets(),
        readAlerts: async (limit) =>
          (await readAlertHistory(pool, { withinSeconds: historySeconds, limit })).map((alert) => ({
            ...alert,
            message: redact(alert.message),
          })),
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
