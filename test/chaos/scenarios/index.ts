import type { Scenario } from "../scenario.js";
import { longWay, pooler } from "./detour.js";
import { diskFull } from "./disk.js";
import { freeze, freezeHost } from "./freeze.js";
import { drain, twoDaemons } from "./hosts.js";
import { killGroup, killOrchestrator, killSupervisor, killWorker } from "./kill.js";
import { fewFiles, fullPipe, noMemory, wrongClock } from "./limits.js";
import { deadlock, lockedTable, openTransaction } from "./locks.js";
import { hostCutOff, lossyNetwork, silentListeners, silentWorker } from "./network.js";
import { endpointsDown, lyingNode, nodeFaults, otherChain, reorgStorm } from "./node.js";
import { fullNotifyQueue, lostHint, notifyFlood } from "./notifications.js";
import { forgottenWorkers, people } from "./people.js";
import { killAfterClaim, killBeforeCommit, killInCommit, killMidFetch } from "./points.js";
import {
  maxConnections,
  postgresCrash,
  postgresRestart,
  refusedCommits,
  terminateBackends,
} from "./postgres.js";
import { standbyPromotion } from "./standby.js";
import { injectorRows, injectorTransaction, strangerLocks } from "./strangers.js";

/** Every scenario, in the order of the report. */
export const scenarios: readonly Scenario[] = [
  killWorker,
  killOrchestrator,
  killSupervisor,
  killGroup,
  killAfterClaim,
  killMidFetch,
  killBeforeCommit,
  killInCommit,
  freeze,
  freezeHost,
  terminateBackends,
  postgresCrash,
  postgresRestart,
  maxConnections,
  refusedCommits,
  diskFull,
  standbyPromotion,
  reorgStorm,
  nodeFaults,
  lyingNode,
  otherChain,
  endpointsDown,
  lockedTable,
  openTransaction,
  deadlock,
  people,
  forgottenWorkers,
  injectorTransaction,
  strangerLocks,
  injectorRows,
  twoDaemons,
  drain,
  hostCutOff,
  silentListeners,
  silentWorker,
  lossyNetwork,
  longWay,
  pooler,
  lostHint,
  notifyFlood,
  fullNotifyQueue,
  fewFiles,
  noMemory,
  fullPipe,
  wrongClock,
];
