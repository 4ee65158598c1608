import type { DaemonView } from "../child/daemon-view.js";
import type { BlockLife } from "../status/read-block-life.js";
import type { Figures } from "../status/read-figures.js";
import type { Status } from "../status/read-status.js";
import { sentenceOf } from "../status/sentence.js";
import type {
  AlertsAnswer,
  EndpointsAnswer,
  FailuresAnswer,
  RangesAnswer,
  StatusAnswer,
  WorkersAnswer,
} from "./answers.js";
import { collect, createMayExport } from "./collect.js";
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
  readBlock(number: number): Promise<BlockLife>;
  readFailures(limit: number): Promise<FailuresAnswer["failures"]>;
  readRanges(limit: number): Promise<RangesAnswer>;
  events: Events;
  /** Return what they changed. */
  changes: {
    pause(): Promise<boolean>;
    resume(): Promise<boolean>;
    retry(block: number): Promise<number>;
  };
}

const mostListed = 500;

/** Everything that is served. docs/OPERATIONS.md lists each; a test holds the two together. */
export function createRoutes(sources: Sources): Route[] {
  const { look, status, figures, events, changes } = sources;
  const mayExport = createMayExport();
  const both = async () => {
    const [view, schema] = await Promise.all([look(), status()]);
    return { view, schema };
  };
  /** Of the part of the status that `pick` takes; 503 while nothing could be read. */
  const ofStatus = async (pick: (value: Status) => unknown): Promise<Answer> => {
    const { value, error } = await status();
    if (value === null || error !== null) return json({ error: error ?? "it was not read yet" }, 503);
    return json(pick(value));
  };
  const get = (path: string, answer: Route["answer"], more: Partial<Route> = {}): Route => ({
    path,
    method: "GET",
    answer,
    ...more,
  });
  const post = (path: string, answer: Route["answer"]): Route => ({ path, method: "POST", answer });

  return [
    get("/", async () => page(await both())),
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
    get("/api/status", async () => json(statusAnswer(await both()))),
    get("/api/blocks/N", async ({ number = 0 }) => json(await sources.readBlock(number))),
    get("/api/ranges", async () => json(await sources.readRanges(mostListed))),
    get("/api/failures", async ({ query }) => {
      const limit = limitOf(query);
      return json({ failures: await sources.readFailures(limit) } satisfies FailuresAnswer);
    }),
    get("/api/endpoints", () => ofStatus(({ endpoints }) => ({ endpoints }) satisfies EndpointsAnswer)),
    get("/api/workers", () =>
      ofStatus(({ workers, leader }) => ({ leader, workers }) satisfies WorkersAnswer),
    ),
    get("/api/alerts", () => ofStatus(({ alerts }) => ({ alerts }) satisfies AlertsAnswer)),
    get("/api/events", async () => plain(200, "events come to GET"), { stream: events.add }),
    post("/api/pause", async () => json({ changed: await changes.pause() })),
    post("/api/resume", async () => json({ changed: await changes.resume() })),
    post("/api/blocks/N/retry", async ({ number = 0 }) =>
      json({ changed: (await changes.retry(number)) > 0 }),
    ),
  ];
}

/** The daemon and the schema at this moment. */
export function statusAnswer({ view, schema }: { view: DaemonView; schema: Reading<Status> }): StatusAnswer {
  const { counted, gauges, children, ...daemon } = view;
  const { value, ageSeconds, error } = schema;
  return {
    sentence: value === null ? "The database could not be read yet." : sentenceOf(value).text,
    daemon: { ...daemon, children: children.map(({ gauges, ...child }) => child) },
    schema: value,
    schemaAgeSeconds: ageSeconds,
    schemaError: error,
  };
}

/** ?limit=N: 50 unless stated. */
function limitOf(query: URLSearchParams): number {
  const text = query.get("limit") ?? "";
  return /^\d{1,6}$/.test(text) ? Math.min(mostListed, Math.max(1, Number(text))) : 50;
}
