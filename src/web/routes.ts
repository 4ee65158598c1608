import type { DaemonView } from "../child/daemon-view.js";
import { type Bounds, mostParts } from "../queue/read-strip.js";
import { sampleSteps } from "../queue/samples.js";
import type { Disk } from "../status/read-disk.js";
import type { Figures } from "../status/read-figures.js";
import type { Status } from "../status/read-status.js";
import { sentenceOf } from "../status/sentence.js";
import type {
  AlertsAnswer,
  BlockAnswer,
  ChainAnswer,
  EndpointsAnswer,
  FailureGroupsAnswer,
  FailuresAnswer,
  HistoryAnswer,
  RangesAnswer,
  ReorgsAnswer,
  StatusAnswer,
  WorkersAnswer,
} from "./answers.js";
import { type Asset, assetRoutes } from "./assets.js";
import { collect, createMayExport } from "./collect.js";
import { deathsOf, endpointUses } from "./endpoint-use.js";
import type { Events } from "./events.js";
import { exposition, expositionType } from "./exposition.js";
import { type Answer, json, plain, type Route } from "./handle.js";
import { healthz, readyz } from "./health.js";
import { page } from "./page.js";
import type { Reading } from "./shared-read.js";

/** What the answers are made of. */
export interface Sources {
  look(): Promise<DaemonView>;
  status(): Promise<Reading<Status>>;
  figures(): Promise<Reading<Figures>>;
  readBlock(number: number): Promise<BlockAnswer>;
  readFailures(limit: number): Promise<FailuresAnswer["failures"]>;
  readRanges(limit: number): Promise<RangesAnswer>;
  /** Of blocks; null: all that anything is known of. */
  chain(of: Bounds | null, parts: number): Promise<Reading<ChainAnswer>>;
  history(span: Span): Promise<Reading<HistoryAnswer>>;
  failureGroups(): Promise<Reading<FailureGroupsAnswer>>;
  reorgs(): Promise<Reading<ReorgsAnswer>>;
  disk(): Promise<Reading<Disk>>;
  /** What the page is made of. */
  assets: readonly Asset[];
  readAlerts(limit: number): Promise<AlertsAnswer["history"]>;
  events: Events;
  /** Return what they changed. */
  changes: {
    pause(): Promise<boolean>;
    resume(): Promise<boolean>;
    retry(block: number): Promise<number>;
  };
}

const mostListed = 500;
const usualParts = 400;

/** What charts show: seconds, and of which step's samples. */
export const spans = {
  "15m": { seconds: 900, step: sampleSteps[0].step },
  "6h": { seconds: 6 * 3_600, step: sampleSteps[1].step },
  "7d": { seconds: 7 * 86_400, step: sampleSteps[2].step },
} as const;
export type Span = keyof typeof spans;

/** Everything that is served. docs/OPERATIONS.md lists each; a test holds the two together. */
export function createRoutes(sources: Sources): Route[] {
  const { look, status, figures, events, changes } = sources;
  const mayExport = createMayExport();
  const both = async () => {
    const [view, schema] = await Promise.all([look(), status()]);
    return { view, schema };
  };
  /** Of the part of the status that `pick` takes; 503 while nothing could be read. */
  const ofStatus = async (pick: (value: Status) => unknown): Promise<Answer> => whole(await status(), pick);
  const get = (path: string, answer: Route["answer"], more: Partial<Route> = {}): Route => ({
    path,
    method: "GET",
    answer,
    ...more,
  });
  const post = (path: string, answer: Route["answer"]): Route => ({ path, method: "POST", answer });

  return [
    get("/", async () => page({ ...(await both()), assets: sources.assets })),
    ...assetRoutes(sources.assets),
    get("/healthz", () => healthz(look), { anyHost: true }),
    get("/readyz", () => readyz(look), { anyHost: true }),
    get(
      "/metrics",
      async () => {
        const [view, read, figured] = await Promise.all([look(), status(), figures()]);
        const withSchema = mayExport(view, read);
        const body = await exposition(collect({ view, status: read, figures: figured, withSchema }));
        return { status: 200, type: expositionType, body };
      },
      { anyHost: true },
    ),
    get("/api/status", async () => json(statusAnswer({ ...(await both()), figures: await figures() }))),
    get("/api/blocks/N", async ({ number = 0 }) => json(await sources.readBlock(number))),
    get("/api/chain", async ({ query }) => {
      const [from, to] = [numberOf(query, "from"), numberOf(query, "to")];
      if (from === "wrong" || to === "wrong" || (from === undefined) !== (to === undefined))
        return json({ error: "from and to are numbers of blocks, both or neither" }, 400);
      const of = from === undefined || to === undefined ? null : { from, to };
      if (of !== null && of.from > of.to)
        return json({ error: `from (${of.from}) is above to (${of.to})` }, 400);
      const parts = numberOf(query, "parts") ?? usualParts;
      if (parts === "wrong" || parts < 1 || parts > mostParts)
        return json({ error: `parts is a number from 1 to ${mostParts}` }, 400);
      return whole(await sources.chain(of, parts));
    }),
    get("/api/history", async ({ query }) => {
      const span = query.get("span") ?? "15m";
      if (!isSpan(span)) return json({ error: `span is one of ${Object.keys(spans).join(", ")}` }, 400);
      return whole(await sources.history(span));
    }),
    get("/api/ranges", async () => json(await sources.readRanges(mostListed))),
    get("/api/failures", async ({ query }) => {
      const limit = limitOf(query);
      return json({ failures: await sources.readFailures(limit) } satisfies FailuresAnswer);
    }),
    get("/api/failures/groups", async () => whole(await sources.failureGroups())),
    get("/api/reorgs", async () => whole(await sources.reorgs())),
    get("/api/disk", async () => whole(await sources.disk())),
    get("/api/endpoints", () => ofStatus(({ endpoints }) => ({ endpoints }) satisfies EndpointsAnswer)),
    get("/api/workers", () =>
      ofStatus(({ workers, leader }) => ({ leader, workers }) satisfies WorkersAnswer),
    ),
    get("/api/alerts", async ({ query }) => {
      const history = await sources.readAlerts(limitOf(query));
      return ofStatus(({ alerts }) => ({ alerts, history }) satisfies AlertsAnswer);
    }),
    get("/api/events", async () => plain(200, "events come to GET"), { stream: events.add }),
    post("/api/pause", async () => json({ changed: await changes.pause() })),
    post("/api/resume", async () => json({ changed: await changes.resume() })),
    post("/api/blocks/N/retry", async ({ number = 0 }) =>
      json({ changed: (await changes.retry(number)) > 0 }),
    ),
  ];
}

/** What was read, or the part of it that `pick` takes; 503 where it could not be read just now. */
function whole<T>({ value, error }: Reading<T>, pick: (value: T) => unknown = (all) => all): Answer {
  if (value === null || error !== null) return json({ error: error ?? "it was not read yet" }, 503);
  return json(pick(value));
}

/** The daemon and the schema at this moment. */
export function statusAnswer({
  view,
  schema,
  figures,
}: {
  view: DaemonView;
  schema: Reading<Status>;
  figures: Reading<Figures>;
}): StatusAnswer {
  const { counted, gauges, children, ...daemon } = view;
  const { value, ageSeconds, error } = schema;
  const { level, text } =
    value === null
      ? { level: "critical" as const, text: "The database could not be read yet." }
      : sentenceOf(value);
  return {
    sentence: text,
    level,
    daemon: {
      ...daemon,
      children: children.map(({ gauges, ...child }) => child),
      uses: endpointUses(view),
      deaths: deathsOf(view),
    },
    schema: value,
    schemaAgeSeconds: ageSeconds,
    schemaError: error,
    progress: progressOf(figures),
  };
}

function progressOf({ value }: Reading<Figures>): StatusAnswer["progress"] {
  if (value === null) return null;
  const { finalized, contiguous } = value;
  return {
    finalizedBlock: finalized?.number ?? null,
    contiguousBlock: contiguous?.number ?? null,
    // By the clock of this moment: it grows also where the database is away.
    lagSeconds: contiguous === null ? null : Math.max(0, Date.now() / 1_000 - contiguous.timestamp),
  };
}

/** ?limit=N: 50 unless stated. */
function limitOf(query: URLSearchParams): number {
  const text = query.get("limit") ?? "";
  return /^\d{1,6}$/.test(text) ? Math.min(mostListed, Math.max(1, Number(text))) : 50;
}

/** A number of a query; undefined: it is not there. */
function numberOf(query: URLSearchParams, name: string): number | undefined | "wrong" {
  const text = query.get(name);
  if (text === null) return undefined;
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : "wrong";
}

function isSpan(text: string): text is Span {
  return Object.hasOwn(spans, text);
}
