import { createHash } from "node:crypto";
import type { Hex } from "../block.js";
import type { ContractSettings } from "../config/decode-settings.js";

/**
 * What a decoder means: which logs, and what their rows say. It stands in decoders.definition, and whoever decodes reads it
 * there alone: so all daemons of a schema do the same, whatever their configurations say. What differs gets another version.
 */
export interface EventDefinition {
  /** Rises when this program decodes the same definition otherwise. */
  meaning: number;
  /** Its name in the configuration. */
  contract: string;
  /** Such as `Transfer(address indexed from, address indexed to, uint256 value)`. */
  event: string;
  /** Another event of the contract is told from it by the length of the data alone. */
  exactData: boolean;
  /** Names of columns that are not what they would be called, by the argument's path (`0`, `1.2`). */
  rename: Readonly<Record<string, string>>;
  address: "any" | readonly Hex[];
  /** Words that an argument may have, by its path. */
  where: Readonly<Record<string, readonly Hex[]>>;
}

/** The meaning that this program gives definitions. */
export const currentMeaning = 1;

/** SHA-256 of what the configuration says of a contract, by which a daemon knows that it was applied. */
export function configuredHash(contract: ContractSettings): string {
  return createHash("sha256").update(JSON.stringify(contract)).digest("hex");
}
