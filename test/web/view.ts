import type { ChildView, DaemonView } from "../../src/child/daemon-view.js";

/** A child of a daemon that is well. */
export const childOf = (role: ChildView["role"], more: Partial<ChildView> = {}): ChildView => ({
  workerId: `a/${role}`,
  role,
  rank: 0,
  pid: 1,
  state: "idle",
  doing: {},
  upSeconds: 5,
  silentSeconds: 0.2,
  gauges: {},
  ...more,
});

/** A daemon that is well. */
export const viewOf = (more: Partial<DaemonView> = {}): DaemonView => ({
  supervisorId: "a",
  version: "1.2.3",
  upSeconds: 10,
  isDraining: false,
  leaseForSeconds: 3,
  leaseLostReason: null,
  workersWanted: 1,
  children: [childOf("orchestrator", { state: "leading" }), childOf("worker"), childOf("web")],
  counted: {},
  gauges: {},
  ...more,
});
