import { blockmill, type Ended } from "../cli/blockmill.js";
import type { World } from "./world.js";

/** Runs a command of the program on the world's database, to its end. */
export function builtProgramEnded(args: string[], world: World): Promise<Ended> {
  return blockmill(args, {
    BLOCKMILL_DATABASE_URL: world.url,
    BLOCKMILL_RPC_URLS: world.node.urls.join(","),
    BLOCKMILL_QUEUE_HISTORY_DAYS: "0",
    // As the daemons have it: a cleanup fails what has seen that many deaths.
    BLOCKMILL_PIPELINE_MAX_ATTEMPTS: "1000",
  });
}
