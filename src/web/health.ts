import type { DaemonView } from "../child/daemon-view.js";
import { type Answer, plain } from "./handle.js";

/** A supervisor that answered a moment ago is alive, and so is this process. */
export async function healthz(look: () => Promise<DaemonView>): Promise<Answer> {
  try {
    await look();
    return plain(200, "ok");
  } catch (error) {
    return plain(503, (error as Error).message);
  }
}

/** Ready: a claim could be made at this moment. A pause is a person's decision, and does not make it unready. */
export async function readyz(look: () => Promise<DaemonView>): Promise<Answer> {
  let view: DaemonView;
  try {
    view = await look();
  } catch (error) {
    return plain(503, (error as Error).message);
  }
  const reasons = unreadyReasons(view);
  return reasons.length === 0 ? plain(200, "ready") : plain(503, reasons.join("\n"));
}

/** Why no claim can be made; none: one can. */
export function unreadyReasons(view: DaemonView): string[] {
  const { isDraining, leaseForSeconds, leaseLostReason, children } = view;
  const workers = children.filter(({ role }) => role === "worker");
  const able = workers.filter(({ state }) => state === "idle" || state === "working");
  const waiting = workers.find(({ state }) => state === "waiting")?.doing.reason;
  return [
    ...(isDraining ? ["it is stopping"] : []),
    ...(leaseForSeconds > 0
      ? []
      : [`this host's lease does not hold${leaseLostReason === null ? "" : `: ${leaseLostReason}`}`]),
    ...(able.length > 0 ? [] : [`no worker can claim${waiting === undefined ? "" : `: ${waiting}`}`]),
  ];
}
