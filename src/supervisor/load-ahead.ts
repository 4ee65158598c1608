import { createSupervisorId } from "./identity.js";
import { followInstallation } from "./installation.js";
import { type LoadedChild, loadChild } from "./load-child.js";

/** A supervisor's first worker, whose process loads its code before the supervisor knows whether it may begin. */
export interface LoadedAhead extends LoadedChild {
  supervisorId: string;
}

/**
 * Forks the first worker of a supervisor that is still to be started: loading takes a worker as long as the
 * checks before a start take, so that the first claim comes that much sooner. It does nothing until it is
 * given its settings, and ends with this process. `outputFd`: where its log lines will go.
 */
export function loadFirstWorker(outputFd: 1 | 2): LoadedAhead {
  const supervisorId = createSupervisorId();
  const workerId = `${supervisorId}/w1`;
  const loaded = loadChild({ role: "worker", workerId, installation: followInstallation()(), outputFd });
  return { supervisorId, ...loaded };
}
