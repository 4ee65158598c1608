import { processShape, type Role, roleRow, roles } from "./roles.js";
import { type ReadBy, readRecord } from "./shape.js";

/** What a process of a role says of itself. A field may be missing: another version may not know it. */
export type Doing<R extends Role> = ReadBy<(typeof roles)[R]["doing"]>;

type Both<U> = (U extends unknown ? (each: U) => void : never) extends (each: infer I) => void ? I : never;

/** What any process may say. */
export type AnyDoing = Both<{ [R in Role]: Doing<R> }[Role]>;

/** Reads what a child said over IPC, or what processing_workers.doing holds: of other versions, or of a person. */
export function readDoing<R extends Role>(role: R, said: unknown): Doing<R> {
  return readRecord(roleRow(role).doing, said) as Doing<R>;
}

/** The same of a process whose role may be one that this version does not know. */
export function readAnyDoing(role: string, said: unknown): AnyDoing {
  return Object.hasOwn(roles, role)
    ? (readDoing(role as Role, said) as AnyDoing)
    : readRecord(processShape, said);
}
