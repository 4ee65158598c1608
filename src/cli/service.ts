import type { ServiceEnvironment } from "../config/service.js";
import type { Logger } from "../logger.js";
import { checkConfiguration } from "../supervisor/check-configuration.js";
import { listenForControl } from "../supervisor/control.js";
import { reportToSystemd } from "../supervisor/report-to-systemd.js";
import type { Supervisor } from "../supervisor/supervisor.js";
import { createNotifier } from "../supervisor/systemd-notify.js";

export interface ServiceOptions {
  supervisor: Supervisor;
  service: ServiceEnvironment;
  log: Logger;
}

/**
 * Makes a supervisor a service: it tells systemd how it is, and reloads when it is asked to, through its
 * control socket (`blockmill reload`) or by SIGHUP. Does nothing where no service manager is. Returns
 * what ends it.
 */
export function serve({ supervisor, service, log }: ServiceOptions): () => void {
  const { notifyFd, watchdogMs, runtimeDirectory } = service;
  const ends: (() => void)[] = [];
  if (notifyFd !== undefined) {
    const notifier = createNotifier(notifyFd);
    ends.push(reportToSystemd({ snapshot: supervisor.snapshot, notifier, watchdogMs }));
  }
  if (runtimeDirectory !== undefined) {
    const reload = () => supervisor.reload(checkConfiguration);
    ends.push(listenForControl({ directory: runtimeDirectory, reload }));
    const onHangup = (): void => {
      reload().catch((error: unknown) => log.error({ err: error }, "SIGHUP: nothing was reloaded"));
    };
    process.on("SIGHUP", onHangup);
    ends.push(() => process.off("SIGHUP", onHangup));
  }
  return () => {
    for (const end of ends) end();
  };
}
