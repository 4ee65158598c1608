// Which PostgreSQL the suite runs against. Four variables steer it; the program knows none of them.
//
//   BLOCKMILL_TEST_DATABASE_URL     a superuser's URL on a server of yours
//   BLOCKMILL_TEST_POSTGRES         embedded, debian or container: that one, and no other
//   BLOCKMILL_TEST_POSTGRES_IMAGE   the image for a container (postgres:18-alpine)
//   TESTCONTAINERS_*, DOCKER_*      read by Testcontainers itself

import { randomBytes } from "node:crypto";
import pg from "pg";
import { startDebianPostgres } from "./debian-postgres.js";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded-postgres.js";

export interface TestServer {
  /** A superuser's, for a database that is there already. */
  url: string;
  /** For people: what it is, with its version. */
  description: string;
  /** Whether it runs for this suite only, so that any session on it is the suite's. */
  ours: boolean;
  stop(): Promise<void>;
}

/** Its snapshots keep dead rows for a moment of its own choosing: what tests count would depend on it. */
const settings = { autovacuum: "off" };

const defaultImage = "postgres:18-alpine";

/**
 * The server that the environment names; else a container, if a Docker engine answers and can get
 * the image; else the embedded one. What was asked for by name is never replaced: rejects if it
 * cannot run. `say` gets a line about what was tried in vain.
 */
export async function startTestServer(say: (line: string) => void): Promise<TestServer> {
  const given = process.env.BLOCKMILL_TEST_DATABASE_URL;
  if (given)
    return describe("BLOCKMILL_TEST_DATABASE_URL", { url: given, ours: false, stop: async () => {} });

  const kind = process.env.BLOCKMILL_TEST_POSTGRES;
  if (kind === "embedded") return describeOwn(kind, await startEmbeddedPostgres({ settings }));
  if (kind === "debian") return describeOwn(kind, await startDebianPostgres({ settings }));
  if (kind !== undefined && kind !== "container")
    throw new Error(`BLOCKMILL_TEST_POSTGRES: expected embedded, debian or container, got ${kind}`);

  const image = process.env.BLOCKMILL_TEST_POSTGRES_IMAGE;
  const insists = kind === "container" || image !== undefined;
  if (await dockerAnswers()) {
    try {
      return await describe(image ?? defaultImage, await startContainer(image ?? defaultImage));
    } catch (error) {
      if (insists) throw error;
      say(`Docker answers, but ${defaultImage} cannot be run: ${firstLine(error)}`);
    }
  } else if (insists) {
    throw new Error(`no Docker engine answers to run ${image ?? defaultImage}`);
  }
  return describeOwn("embedded", await startEmbeddedPostgres({ settings }));
}

function describeOwn(what: string, server: EmbeddedPostgres): Promise<TestServer> {
  return describe(what, { url: server.url, ours: true, stop: () => server.destroy() });
}

type Started = Omit<TestServer, "description">;

async function dockerAnswers(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import("testcontainers");
  try {
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}

async function startContainer(image: string): Promise<Started> {
  const { GenericContainer, Wait } = await import("testcontainers");
  const password = randomBytes(12).toString("hex");
  const container = await new GenericContainer(image)
    .withEnvironment({ POSTGRES_PASSWORD: password })
    .withCommand([
      "postgres",
      "-c",
      "fsync=off",
      "-c",
      "full_page_writes=off",
      "-c",
      "max_connections=300",
      "-c",
      "autovacuum=off",
    ])
    .withExposedPorts(5432)
    // The image starts the server twice: first for its own set-up, then for good.
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .withStartupTimeout(120_000)
    .start();
  return {
    url: `postgres://postgres:${password}@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    ours: true,
    stop: async () => {
      await container.stop();
    },
  };
}

async function describe(what: string, started: Started): Promise<TestServer> {
  const client = new pg.Client({ connectionString: started.url });
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>("show server_version");
    return { ...started, description: `PostgreSQL ${rows[0]?.server_version} (${what})` };
  } catch (error) {
    await started.stop();
    throw error;
  } finally {
    await client.end();
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
}
