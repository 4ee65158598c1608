import type { FeedStatus } from "../feed/read-feed.js";
import { statusOrder } from "../queue/job-status.js";
import type { BoundedCount } from "../queue/read-depth.js";
import type { LiveWorker } from "../queue/read-workers.js";
import type { EndpointState } from "../status/endpoint-states.js";
import type { Status } from "../status/read-status.js";
import { sentenceOf } from "../status/sentence.js";
import { count, plural, rate, shorten, span, wrap } from "../wording.js";
import { describePause } from "./tell-pause.js";
import { formatTable, type Paint } from "./terminal.js";

/** The status for people, within 100 columns. */
export function formatStatus(status: Status, paint: Paint): string {
  const sections = [
    sentence(status, paint),
    status.alerts.length > 0 ? section("Alerts", alertsList(status, paint), paint) : "",
    formatTable([{}, {}], overview(status, paint), paint),
    status.lockWait === null ? "" : section("Waiting for a lock", lockLines(status, paint), paint),
    section("Jobs", jobsTable(status, paint), paint),
    status.ranges.total.count > 0 ? section("Open ranges", rangesTable(status, paint), paint) : "",
    section("Workers", workersTable(status, paint), paint),
    status.endpoints.length > 0 ? section("Endpoints", endpointsTable(status, paint), paint) : "",
    status.failures.length > 0 ? section("Latest errors", failuresTable(status, paint), paint) : "",
  ];
  return sections.filter((text) => text !== "").join("\n");
}

function sentence(status: Status, paint: Paint): string {
  const { level, text } = sentenceOf(status);
  const style = level === "well" ? "green" : level === "warning" ? "yellow" : "red";
  return wrap(text, columns)
    .map((line) => `${paint(style, line)}\n`)
    .join("");
}

function section(title: string, body: string, paint: Paint): string {
  return `${paint("bold", title)}\n${body}`;
}

function bounded({ count: value, atLeast }: BoundedCount, noun?: string): string {
  return `${atLeast ? ">= " : ""}${noun === undefined ? count(value) : plural(value, noun)}`;
}

function overview(status: Status, paint: Paint): string[][] {
  const {
    head,
    newestBlock,
    lagBlocks,
    lagIsAtLeast,
    waiting,
    stored,
    schema,
    blocksPerSecond,
    pause,
    feed,
  } = status;
  const chain = head === null ? "no chain seen yet" : `chain ${head.chainId}`;
  const newest = newestBlock === null ? "" : `, the newest is ${count(newestBlock)}`;
  const behind = bounded({ count: lagBlocks ?? 0, atLeast: lagIsAtLeast });
  const lag = lagBlocks === null ? "" : lagBlocks === 0 ? ", none behind" : `, ${behind} behind`;
  const seen =
    head === null
      ? "not seen yet"
      : `${count(head.headNumber)}${lag}, ${span(head.headAgeSeconds)} old, seen ${span(head.seenAgeSeconds)} ago`;
  const rows = [
    ["schema", `"${schema}", ${chain}`],
    ["stored", `${bounded(stored, "block")}${newest}`],
    ["head", seen],
    ["rate", `${rate(blocksPerSecond)} blocks/s in the last minute`],
  ];
  if (waiting.jobs > 0) {
    const blocks = `${waiting.isAtLeast ? ">= " : ""}${plural(waiting.jobs, "block")} not there yet, from ${count(waiting.firstBlock ?? 0)} on`;
    rows.push(["waiting", paint("yellow", blocks)]);
  }
  if (feed !== null) rows.push(["feed", feedLine(feed)]);
  if (pause !== null) rows.unshift(["paused", paint("yellow", shorten(describePause(pause), 88))]);
  return rows.map(([name = "", value = ""]) => [paint("dim", name), value]);
}

function feedLine({ lastStep, newest, next, readers, readerCount }: FeedStatus): string {
  const told = newest === null ? "no block told" : `told to block ${count(newest)}`;
  const [slowest] = readers;
  const them =
    slowest === undefined
      ? "no reader"
      : `${plural(readerCount, "reader")}, ${slowest.name} ${slowest.isGone ? "has to start again" : slowest.behind === 0 ? "has all" : `${count(slowest.behind)} behind`}`;
  const waits = next === null ? "waits for a first block" : `waits for ${count(next)}`;
  return `${told} (step ${count(lastStep)}), ${waits}; ${them}`;
}

function jobsTable({ jobs }: Status, paint: Paint): string {
  const numbers = statusOrder.map((name) => {
    const style = jobs[name].count === 0 ? "dim" : name === "failed" ? "red" : "bold";
    return paint(style, bounded(jobs[name]));
  });
  const table = formatTable(
    statusOrder.map((head) => ({ head, align: "right" })),
    [numbers],
    paint,
  );
  const them = jobs.failed.count === 1 ? "it" : "them";
  return jobs.failed.count === 0
    ? table
    : `${table}  ${paint("yellow", `${bounded(jobs.failed)} failed: blockmill retry --all runs ${them} again`)}\n`;
}

function rangesTable({ ranges: { total, ranges } }: Status, paint: Paint): string {
  const right = "right" as const;
  const table = formatTable(
    [
      { head: "id", align: right },
      { head: "from", align: right },
      { head: "to", align: right },
      { head: "enqueued", align: right },
      { head: "left", align: right },
      { head: "priority", align: right },
      {},
    ],
    ranges.map(({ id, from, to, next, priority, force }) => [
      String(id),
      count(from),
      count(to),
      `${Math.floor(((next - from) * 100) / (to - from + 1))} %`,
      count(to + 1 - next),
      String(priority),
      force ? "again" : "",
    ]),
    paint,
  );
  const more = bounded({ ...total, count: total.count - ranges.length });
  return total.count > ranges.length ? `${table}  and ${more} more\n` : table;
}

const workersShown = 40;

function workersTable({ workers, moreWorkers }: Status, paint: Paint): string {
  if (!workers.some(({ lives }) => lives)) {
    const lost = workers.length > 0 ? ` (${plural(workers.length, "lost process")} will be swept away)` : "";
    return `  ${paint("yellow", `Nothing runs${lost}.`)} Start a daemon: blockmill start --config FILE\n`;
  }
  const table = formatTable(
    [
      { head: "host" },
      { head: "role" },
      { head: "pid", align: "right" },
      { head: "state" },
      { head: "done", align: "right" },
      { head: "failed", align: "right" },
      { head: "memory", align: "right" },
      { head: "seen", align: "right" },
      { head: "in hand" },
    ],
    workers.slice(0, workersShown).map((worker) => workerRow(worker, paint)),
    paint,
  );
  const more = workers.length - workersShown;
  return more > 0 ? `${table}  and ${bounded({ count: more, atLeast: moreWorkers })} more\n` : table;
}

function workerRow(worker: LiveWorker, paint: Paint): string[] {
  const { hostname, role, pid, state, doing, seenAgeSeconds, lives } = worker;
  const number = (value: number | undefined) => (value === undefined ? "" : count(value));
  return [
    shorten(hostname, 16),
    role,
    String(pid),
    lives ? paintState(state, paint) : paint("red", "lost"),
    number(doing.completed),
    number(doing.failed),
    doing.memoryMb === undefined ? "" : `${count(doing.memoryMb)} MB`,
    seenAgeSeconds < 10 ? "now" : span(seenAgeSeconds),
    shorten(inHand(doing), 16),
  ];
}

function paintState(state: string, paint: Paint): string {
  if (state === "working" || state === "leading") return paint("green", state);
  return state === "waiting" ? paint("yellow", state) : state;
}

/** The first block, and how many more; or why it waits. */
function inHand({ blocks = [], reason }: LiveWorker["doing"]): string {
  if (reason !== undefined) return reason;
  if (blocks.length === 0) return "";
  return blocks.length === 1 ? String(blocks[0]) : `${blocks[0]} +${blocks.length - 1}`;
}

const columns = 100;

function lockLines({ lockWait }: Status, paint: Paint): string {
  return wrap(lockWait ?? "", columns - 2)
    .map((line) => `  ${paint("red", line)}\n`)
    .join("");
}

/** In whole: what to do stands at the end. */
function alertsList({ alerts }: Status, paint: Paint): string {
  return alerts
    .map(({ kind, message, ageSeconds }) => {
      const text = `${kind}, for ${span(ageSeconds)}: ${message}`;
      return wrap(text, columns - 2)
        .map((line) => `  ${paint("red", line)}\n`)
        .join("");
    })
    .join("");
}

function endpointsTable({ endpoints }: Status, paint: Paint): string {
  const right = "right" as const;
  const number = (value: number | null) => (value === null ? "" : count(value));
  const table = formatTable(
    [
      { head: "endpoint" },
      { head: "state" },
      { head: "latency", align: right },
      { head: "head", align: right },
      { head: "lag", align: right },
    ],
    endpoints.map((endpoint) => [
      shorten(endpoint.name, 48),
      endpointState(endpoint, paint),
      endpoint.latencyMs === null ? "" : `${rate(endpoint.latencyMs)} ms`,
      number(endpoint.head),
      number(endpoint.lag),
    ]),
    paint,
  );
  const reasons = endpoints.flatMap(({ name, reason }) => {
    if (reason === null) return [];
    // Most reasons name their endpoint already.
    const text = reason.startsWith(name) ? reason : `${name}: ${reason}`;
    return wrap(text, columns - 2).map((line) => `  ${paint("yellow", line)}\n`);
  });
  return table + reasons.join("");
}

/** For most processes it is as for all. */
function endpointState({ up, resting, refused }: EndpointState, paint: Paint): string {
  if (refused > 0) return paint("red", "refused");
  if (resting === 0) return paint("green", "up");
  return paint("yellow", up === 0 ? "resting" : `resting for ${resting} of ${up + resting}`);
}

function failuresTable({ failures }: Status, paint: Paint): string {
  return formatTable(
    [
      { head: "block", align: "right" },
      { head: "attempt", align: "right" },
      { head: "ago", align: "right" },
      { head: "error" },
    ],
    failures.map(({ blockNumber, attempt, ageSeconds, message }) => [
      count(blockNumber),
      String(attempt),
      span(ageSeconds),
      paint("red", shorten(message, 62)),
    ]),
    paint,
  );
}
