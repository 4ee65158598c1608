import type { Random } from "../../bench/fixture-node/random.js";
import type { World } from "./world.js";

/** What two scenarios must not break at the same time. */
export type Resource = "server" | "processes" | "locks" | "node" | "hosts" | "people";

export interface Scenario {
  name: string;
  /** What is done, in a line. */
  about: string;
  /** What it needs for itself while it runs. */
  takes: readonly Resource[];
  /** How often it is picked for the mix. */
  weight: number;
  /** The longest recovery that issue 5 allows, in milliseconds, by what was measured. */
  bounds?: Readonly<Record<string, number>>;
  /** Why it cannot run here; undefined: it can. */
  unable?(world: World): string | undefined;
  /** Injects a fault, or a burst of one kind, and heals it. Resolves when it is over and was recovered from. */
  inject(world: World, random: Random): Promise<void>;
}

/** The reason of scenarios that stop the server, or look into its files. */
export function needsOwnServer({ server }: World): string | undefined {
  return server === undefined
    ? "the server of BLOCKMILL_TEST_DATABASE_URL is not the suite's to stop"
    : undefined;
}

export function needsRoot(): string | undefined {
  return process.getuid?.() === 0 ? undefined : "only root may";
}

/** The reason of scenarios whose node lies about a block in ways that its own hash and roots find out. */
export function needsProof({ options }: World): string | undefined {
  return options.nullRounds ? "nothing proves a block of this chain by itself" : undefined;
}
