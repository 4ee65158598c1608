// Which block a worker computes at this moment, and whose answers, told to its supervisor without a message: sixteen bytes in a
// file that has no name any more, and that both have open. A write costs the worker two microseconds, and what it wrote last is
// there when it was killed.

import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Computes for a block, and says so meanwhile. `endpoint`: the place in rpc.urls of the one whose answers are read. */
export type Compute = <T>(block: number, work: () => T, endpoint?: number) => T;

/** Computes for blocks, and tells nobody. */
export const computeUnmarked: Compute = (_block, work) => work();

const none = -1;

/** Writes the mark into an open file, once for each piece of work as it begins, and once as it ends. */
export function createCompute(fd: number): Compute {
  const mark = new BigInt64Array(2);
  const bytes = new Uint8Array(mark.buffer);
  const write = (block: number, endpoint: number): void => {
    mark[0] = BigInt(block);
    mark[1] = BigInt(endpoint);
    try {
      writeSync(fd, bytes, 0, bytes.length, 0);
    } catch {
      // A disk that fails is no block's fault. The supervisor reads what was written last.
    }
  };
  return (block, work, endpoint = none) => {
    write(block, endpoint);
    try {
      return work();
    } finally {
      write(none, none);
    }
  };
}

/** A supervisor's side of the mark of one child. */
export interface ComputeMark {
  /** To be inherited by the child. */
  readonly fd: number;
  /** The block that it computes, or computed when it died; undefined: none. */
  read(): number | undefined;
  /** The place in rpc.urls of the endpoint whose answers it reads for that; undefined: none. */
  readEndpoint(): number | undefined;
  close(): void;
}

/** Makes the file. Undefined: there is no place for it, and nobody will know. */
export function createComputeMark(processId: string): ComputeMark | undefined {
  const file = path.join(tmpdir(), `blockmill-${processId.replaceAll("/", "-")}`);
  let fd: number;
  try {
    fd = openSync(file, "wx+", 0o600);
    unlinkSync(file);
  } catch {
    return undefined;
  }
  try {
    // Takes the room that it needs: where a disk is full the file is made, and nothing can be written into it.
    writeSync(fd, new Uint8Array(new BigInt64Array([BigInt(none), BigInt(none)]).buffer), 0, 16, 0);
  } catch {
    closeSync(fd);
    return undefined;
  }
  const numberAt = (place: number): number | undefined => {
    const mark = new BigInt64Array(1);
    const length = readSync(fd, new Uint8Array(mark.buffer), 0, 8, 8 * place);
    const number = Number(mark[0]);
    return length < 8 || number === none ? undefined : number;
  };
  return {
    fd,
    read: () => numberAt(0),
    readEndpoint: () => numberAt(1),
    close: () => closeSync(fd),
  };
}
