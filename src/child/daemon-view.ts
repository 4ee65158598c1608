import type { Series } from "../metrics/counts.js";
import type { AnyDoing } from "./doing.js";
import type { Role } from "./roles.js";

/** A daemon as its supervisor sees it at this moment: what it tells a child that asks (`look`). */
export interface DaemonView {
  supervisorId: string;
  version: string;
  /** Seconds since its start. */
  upSeconds: number;
  isDraining: boolean;
  /** Seconds that the host's lease holds from now on; 0: it does not. */
  leaseForSeconds: number;
  /** Why not, as far as it is known. */
  leaseLostReason: string | null;
  workersWanted: number;
  children: ChildView[];
  /** What all its processes have counted since its start, those that are gone included. */
  counted: Series;
  /** What the supervisor measures of itself. */
  gauges: Series;
}

export interface ChildView {
  workerId: string;
  role: Role;
  /** Its place among those of its role, from 0: its successors have the same. */
  rank: number;
  pid: number | null;
  /** A ChildState. */
  state: string;
  doing: AnyDoing;
  /** Seconds since its start, and since it was last heard. */
  upSeconds: number;
  silentSeconds: number;
  /** What it measures of itself at this moment. */
  gauges: Series;
}
