import { findUncovered, noteTrouble } from "../decode/coverage.js";
import type { Decoder } from "../decode/decoder.js";
import { decoderSet, readGeneration, readRegistry } from "../decode/registry.js";
import type { Logger } from "../logger.js";
import type { Door } from "../pipeline/change-rows.js";
import { fillEventTables } from "../pipeline/fill-event-tables.js";
import { DerivedRowsError } from "../store/derived-rows-error.js";
import type { Duty } from "./run-duties.js";

export interface FillOptions extends Door {
  log: Logger;
  /** How often it looks whether anything is applied, while nothing is. */
  checkMs: number;
}

/** While everything is covered, it looks this often for what commits have noted. */
const idleMs = 2_000;
/** A bite holds the door, which reorgs wait for: its blocks are chosen so that it takes about this long. */
const biteMs = 150;
const mostBlocks = 2_000;
/** A decoder whose rows are refused is left out for so long. */
const restMs = 15_000;
/** How often it says how far it is. */
const tellMs = 10_000;

/** Adds up what commits have decoded, and fills what is stored without its rows in event tables. */
export function createFillDuty({ log, checkMs, ...door }: FillOptions): Duty {
  let known: string | null | undefined;
  let all: readonly Decoder[] = [];
  let blocks = 16;
  const resting = new Map<number, number>();
  let filled = 0;
  let toldAt = performance.now();

  /** Whether there may be something to do; undefined: nothing is applied. */
  const look = async (): Promise<{ noted: boolean } | undefined> => {
    const { generation, noted } = await readGeneration(door.pool);
    if (generation === known) return generation === null ? undefined : { noted };
    const registry = await readRegistry(door.pool);
    known = registry.generation;
    all = registry.decoders;
    resting.clear();
    if (registry.unknown.length > 0)
      log.warn(
        { tables: registry.unknown },
        "another version of blockmill applied these event tables: this one does not fill them",
      );
    return known === null ? undefined : { noted };
  };

  const tell = (): void => {
    const seconds = (performance.now() - toldAt) / 1_000;
    if (filled === 0 || seconds * 1_000 < tellMs) return;
    log.info({ blocks: filled, per_second: Math.round(filled / seconds) }, "filling event tables");
    filled = 0;
    toldAt = performance.now();
  };

  /** Others go on without the table, and people are told why it lacks rows. */
  const leaveOut = async ({ table, message }: DerivedRowsError): Promise<void> => {
    const refused = all.filter((decoder) => decoder.table === table);
    // What is refused of a table that they share is nobody's alone.
    for (const { id } of refused.length > 0 ? refused : all) {
      resting.set(id, performance.now() + restMs);
      await noteTrouble(door.pool, id, message);
    }
    log.warn({ table, reason: message }, "an event table cannot be filled");
  };

  return {
    name: "fill event tables",
    async run() {
      const seen = await look();
      if (seen === undefined) return checkMs;
      const now = performance.now();
      const set = decoderSet(all.filter(({ id }) => (resting.get(id) ?? 0) < now));
      const ids = set.decoders.map(({ id }) => id);
      if (!seen.noted && (await findUncovered(door.pool, ids, { limit: 1 })).length === 0) return idleMs;
      try {
        const bite = await fillEventTables(door, set, { blocks });
        filled += bite.blocks;
        const ms = performance.now() - now;
        if (bite.blocks === blocks && ms < biteMs) blocks = Math.min(mostBlocks, blocks * 2);
        else if (ms > 2 * biteMs) blocks = Math.max(1, blocks >> 1);
        tell();
        return bite.blocks > 0 ? 0 : idleMs;
      } catch (error) {
        if (!(error instanceof DerivedRowsError)) throw error;
        await leaveOut(error);
        return 0;
      }
    },
  };
}
