import type { Header, Log } from "../../src/block.js";
import { blankOf } from "../../src/fields/blank.js";
import { entriesOf, type Fields, isKept } from "../../src/fields/field.js";
import { headerFields } from "../../src/fields/header.js";
import { logFields } from "../../src/fields/log.js";

// What made-up objects begin as: every field null, those of forks to come included.
export const blankHeader = blank<Header>(headerFields);
export const blankLog = blank<Log>(logFields);

function blank<Of>(fields: Fields): Of {
  return blankOf(entriesOf(fields).flatMap(([name, field]) => (isKept(field) ? [name] : []))) as Of;
}
