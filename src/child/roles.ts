// The kinds of children that a supervisor has. A new kind is a row here and its own files: forking, the
// connections' allotment, rolling, registering and reading what it says follow from the row.

import type { Config } from "../config/schema.js";
import { flag, listOf, number, type Reader, readRecord, type Shape, text } from "./shape.js";

export interface RoleRow {
  /** What is forked, below the folder that holds the compiled src/. */
  file: string;
  /** What the ids of its processes begin with: SUPERVISOR/w1. */
  letter: string;
  /** How many a host has. */
  places: "one" | "workers";
  /** `schema`: of all hosts' one leads, elected by a lease. `host`: each works by itself. */
  leads: "schema" | "host";
  /** Of one process: those beside its pool, and those in its pool. Workers share what the others leave, up to `most`. */
  connections: { besidePool: number; pool: { least: number; most: number } };
  /** `overlapping`: the new one is ready before the old one drains. `one after the other`: the old one goes first. */
  rolled: "overlapping" | "one after the other";
  /** Whether it has a share of the endpoints' limits. */
  asksEndpoints: boolean;
  /** Whether a daemon of this configuration has it; absent: every one has. */
  isWanted?(config: Config): boolean;
  /** What it says of itself. */
  doing: Shape;
}

/** What a process says of an endpoint. */
const endpointShape = {
  state: text,
  /** Why it rests or is refused. */
  reason: text,
  /** When its rest ends, in milliseconds since 1970. */
  until: number,
  latencyMs: number,
  head: number,
  /** Blocks behind the newest head that any endpoint was seen to have. */
  lag: number,
  /** It rests for what it served, rather than for being away. */
  aside: flag,
};

/** An endpoint without a name or a state is left out; what is not known of it is null. */
const endpoint: Reader<EndpointDoing> = (said) => {
  const { state, reason = null, until = null, aside = false, ...numbers } = readRecord(endpointShape, said);
  const name = text((said as { name?: unknown } | null)?.name);
  if (name === undefined || state === undefined) return undefined;
  const { latencyMs = null, head = null, lag = null } = numbers;
  return { name, state, reason, until, aside, latencyMs, head, lag };
};

export interface EndpointDoing {
  name: string;
  state: string;
  reason: string | null;
  until: number | null;
  aside: boolean;
  latencyMs: number | null;
  head: number | null;
  lag: number | null;
}

/** What every process says. */
export const processShape = {
  memoryMb: number,
  /** How many cores it used since it last said so. */
  cores: number,
  /** Why it waits, or what went wrong. */
  reason: text,
  endpoints: listOf(endpoint),
  /** Of a supervisor: its children that died since it started. */
  deaths: number,
} satisfies Shape;

/** In the order in which they are started and shown. */
export const roles = {
  orchestrator: {
    file: "src/orchestrator/main.js",
    letter: "o",
    places: "one",
    leads: "schema",
    // Its leadership and its listener; it follows heads on one of the pool while its duties use the other.
    connections: { besidePool: 2, pool: { least: 2, most: 2 } },
    rolled: "overlapping",
    asksEndpoints: true,
    doing: {
      ...processShape,
      /** The duty that failed for `reason`. */
      duty: text,
    },
  },
  worker: {
    file: "src/worker/main.js",
    letter: "w",
    places: "workers",
    leads: "host",
    // Its listener; it claims on one of the pool while it commits on another, and more would stand idle.
    connections: { besidePool: 1, pool: { least: 1, most: 2 } },
    rolled: "overlapping",
    asksEndpoints: true,
    doing: {
      ...processShape,
      /** Blocks since its start: stored, failed, and handed on meanwhile. */
      completed: number,
      failed: number,
      lost: number,
      /** The first of those in hand, and the stage of each. */
      blocks: listOf(number),
      stages: listOf(text),
      /** Requests wait because the endpoints take no more. */
      throttled: flag,
    },
  },
  web: {
    file: "src/web/main.js",
    letter: "h",
    places: "one",
    leads: "host",
    // What it reads, one statement after the other; it is closed while nobody asks.
    connections: { besidePool: 0, pool: { least: 1, most: 1 } },
    // Its address belongs to one process at a time.
    rolled: "one after the other",
    asksEndpoints: false,
    isWanted: ({ web }) => web.listen !== "",
    doing: processShape,
  },
} as const satisfies Record<string, RoleRow>;

export type Role = keyof typeof roles;

/** A process of a daemon: the supervisor itself, or a child of it. */
export type ProcessRole = "supervisor" | Role;

export const childRoles = Object.keys(roles) as readonly Role[];

/** Processes in the order in which they are shown. */
export const processRoles: readonly ProcessRole[] = ["supervisor", ...childRoles];

/** The kinds of children that a daemon of this configuration has. */
export function wantedRoles(config: Config): readonly Role[] {
  return childRoles.filter((role) => roleRow(role).isWanted?.(config) ?? true);
}

/** The row of a role. */
export function roleRow(role: Role): RoleRow {
  return roles[role];
}

/** What the lease of a role that leads for a whole schema is named after. */
export function electionKey(role: Role, schema: string): string {
  return `blockmill ${role} ${schema}`;
}
