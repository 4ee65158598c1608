import { CHECKS, checkBit, REASONS, RESULT_OFFSETS } from "../src/fields/direct-layout.js";
import { moduleText } from "./module-text.js";
import { constantOf } from "./objects.js";

/** What the module and JavaScript tell each other in numbers. */
export function layoutModule(): string {
  const checks = CHECKS.map((check) => `export const CHECK_${constantOf(check)}: u32 = ${checkBit(check)};`);
  const reasons = REASONS.map(
    (reason, index) => `export const LEFT_${constantOf(reason)}: i32 = ${index + 1};`,
  );
  const offsets = Object.entries(RESULT_OFFSETS).map(
    ([name, offset]) => `export const RESULT_${constantOf(name)}: usize = ${offset};`,
  );
  return moduleText(
    "what JavaScript and this module tell each other in numbers.",
    {},
    `
/** A bit for each check. */
${checks.join("\n")}

/** Why a block is left. */
${reasons.join("\n")}

/** Bytes from RESULT_AT. */
${offsets.join("\n")}
`,
  );
}
