// What stands between a host and PostgreSQL: a pooler that dies, and a long way.

import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { skip as noPgbouncer, startPgbouncer } from "../../db/pgbouncer.js";
import { freePort } from "../../support/free-port.js";
import { mark, measure } from "../recovery.js";
import { needsOwnServer, type Scenario } from "../scenario.js";
import type { World } from "../world.js";

const poolerBack = "PgBouncer back, to the first claim of the host behind it";

export const pooler: Scenario = {
  name: "pooler",
  about: "a second host works through a PgBouncer in transaction mode, which is killed and comes back",
  takes: ["hosts", "server"],
  weight: 1,
  unable: (world) => needsOwnServer(world) ?? (noPgbouncer === false ? undefined : noPgbouncer),
  async inject(world, random) {
    const port = String(await freePort());
    const start = () => startPgbouncer(world.url, { pool_mode: "transaction", listen_port: port });
    let pgbouncer = await start();
    const host = world.addHost(`pooled-${random.below(1_000)}`, {
      url: pgbouncer.url,
      config: { pipeline: { workers: 1 }, database: { listen_url: world.url } },
    });
    try {
      const daemon = await host.start();
      await sleep(random.below(1_000));
      world.tally.fault("PgBouncer killed");
      await pgbouncer.stop();
      await sleep(random.below(1_500));
      const from = await mark(world);
      const since = world.clock();
      pgbouncer = await start();
      await measure(world, from, {
        what: poolerBack,
        since,
        wanted: { event: "claim", by: `blockmill ${daemon.supervisorId}` },
      });
      await host.stop();
    } finally {
      await world.forget(host);
      await pgbouncer.stop();
    }
  },
};

const moved = "the database's address leads there again, to the first claim of the host that uses it";

export const longWay: Scenario = {
  name: "long-way",
  about: "PostgreSQL is 200 ms away from a second host, behind an address that leads nowhere for a while",
  takes: ["hosts", "server"],
  weight: 1,
  unable: needsOwnServer,
  async inject(world, random) {
    const relay = await Relay.open(world, 100);
    const url = new URL(world.url);
    url.port = String(relay.port);
    const host = world.addHost(`far-${random.below(1_000)}`, {
      url: url.href,
      config: { pipeline: { workers: 1 } },
    });
    try {
      const daemon = await host.start();
      world.tally.fault("PostgreSQL 200 ms away");
      await sleep(500 + random.below(2_000));
      world.tally.fault("the database's address leads nowhere");
      relay.leadsNowhere();
      await sleep(random.below(3_000));
      const from = await mark(world);
      const since = world.clock();
      relay.leadsThere();
      const measured = new AbortController();
      const asking = keepAsking(world, daemon.supervisorId, measured.signal);
      try {
        await measure(world, from, {
          what: moved,
          since,
          wanted: { event: "claim", by: `blockmill ${daemon.supervisorId}` },
        });
      } finally {
        measured.abort();
        await asking;
      }
      await host.stop();
    } finally {
      await world.forget(host);
      await relay.close();
    }
  },
};

/**
 * Asks for more than the workers near the server take before one that is far away has even heard of it: else
 * that one never gets a block. Not before it has a session to claim with: the supply is limited.
 */
async function keepAsking(world: World, supervisorId: string, signal: AbortSignal): Promise<void> {
  const canClaim = async () => {
    const rows = await world.ask(
      `select from pg_stat_activity
       where application_name like $1 and application_name not like '% listen' limit 1`,
      [`blockmill ${supervisorId}/w%`],
    );
    return rows.length > 0;
  };
  while (!signal.aborted) {
    const isTime = await canClaim();
    if (isTime && !(await world.load.askNow(400)))
      return world.tally.brokenBy("no old blocks are left to ask for: the world's history is too short");
    await sleep(isTime ? 1_000 : 50, undefined, { signal }).catch(() => {});
  }
}

/** A TCP port that leads to the world's server, with each byte late by a constant time. */
class Relay {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #leads = true;

  private constructor(serverPort: number, delayMs: number) {
    this.#server = createServer((near) => {
      if (!this.#leads) return void near.destroy();
      const far = connect(serverPort, "127.0.0.1");
      const later = (work: () => void) => setTimeout(work, delayMs);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.setNoDelay(true);
        from.on("data", (data) => later(() => to.writable && to.write(data)));
        from.on("end", () => later(() => to.end()));
        from.on("error", () => {});
        from.on("close", () => {
          this.#sockets.delete(from);
          later(() => to.destroy());
        });
      }
    });
  }

  static async open({ server }: World, delayMs: number): Promise<Relay> {
    const relay = new Relay(server?.port ?? 0, delayMs);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Ends what is connected, and lets nobody in. */
  leadsNowhere(): void {
    this.#leads = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  leadsThere(): void {
    this.#leads = true;
  }

  async close(): Promise<void> {
    this.leadsNowhere();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
