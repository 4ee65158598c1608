// Every step of both tiers, once: `.ci/run` runs those of the gate, `npm run full` runs all of them.
//
//   name      how reports name the step
//   tier      gate: both tiers run it; full: only npm run full does
//   seconds   its bound: a step that hangs is stopped and has failed after this time. It is far above the usual one,
//             for a machine that others use too; all of the gate together has gateSeconds
//   needs     names of needs.mjs; where one of them is missing, the step is skipped, by name and with the reason
//   node      which Node of npm runs the command; without it, the one that runs this
//   command   program and arguments; in the checkout, without standard input
//   env       added to the environment
//   basis     true: nothing after it makes sense if it fails

/** What the gate aims at: a longer one passes, and says so. */
export const gateAimSeconds = 40 * 60;
/** The gate as a whole: the step that runs at this time is stopped, and named. Whoever runs the gate gives it 90 minutes. */
export const gateSeconds = 80 * 60;

const npm = (script, ...args) => ["npm", "run", "--silent", script, "--", ...args];
const on = (postgres) => ({ BLOCKMILL_TEST_POSTGRES: postgres });

/** Tests that need a program of their own, for which later parts have their places in the full tier. */
const apart = ["browser/", "geth/", "kafka/", "tutorial/"];

/** Each scenario of chaos by itself, which takes minutes: the gate plays them together, as chaos does. */
const eachScenario = "chaos/chaos.test";

/** The suite; what has a step of its own is left to it. */
const suite = npm("test", ...[...apart, "systemd/", eachScenario].flatMap((part) => ["--without", part]));

/**
 * The folders of tests whose statements an older PostgreSQL could take otherwise. The rest of those that talk to a database
 * do it through the same statements; the full tier runs all of them there.
 */
const databaseFolders = [
  "db/",
  "ops/",
  "orchestrator/",
  "partitions/",
  "queue/",
  "reorg/",
  "store/",
  "stored/",
];

/** What another Node would break first: HTTP and WebSockets, WebAssembly, streams, processes and their messages. */
const smoke = [
  ...["chain/endpoints", "chain/heads", "chain/ws-messages", "cli/range.test", "daemon/shutdown"],
  ...["db/exchange", "direct/direct-way", "direct/over-the-wire", "store/", "worker/begun-ahead"],
];

/** The Node that the package carries, and those that it must run on besides. */
const shipped = "24";
const others = ["22", "26"];

export const steps = [
  { name: "programs", tier: "gate", seconds: 600, basis: true, command: [".ci/install-programs"] },
  {
    name: "dependencies",
    tier: "gate",
    seconds: 600,
    basis: true,
    command: ["npm", "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"],
  },
  { name: "build", tier: "gate", seconds: 600, basis: true, command: npm("build") },
  { name: "lint", tier: "gate", seconds: 600, command: npm("lint") },
  {
    name: "the suite on the shipped Node and PostgreSQL 18",
    tier: "gate",
    seconds: 2_700,
    node: shipped,
    env: on("embedded"),
    command: suite,
  },
  {
    name: "the database's folders on Debian's PostgreSQL",
    tier: "gate",
    seconds: 1_500,
    needs: ["debianPostgres"],
    node: shipped,
    env: on("debian"),
    command: npm("test", ...databaseFolders),
  },
  ...others.map((version) => ({
    name: `a smoke on Node ${version}`,
    tier: "gate",
    seconds: 600,
    node: version,
    env: on("embedded"),
    command: npm("test", ...smoke),
  })),
  {
    name: "chaos for two minutes",
    tier: "gate",
    seconds: 600,
    node: shipped,
    command: npm("chaos", "--minutes", "2", "--seed", "1"),
  },
  { name: "the demo", tier: "gate", seconds: 600, node: shipped, command: npm("demo", "--blocks", "200") },
  {
    name: "the package",
    tier: "gate",
    seconds: 600,
    needs: ["packageTools"],
    command: npm("package", "--fast"),
  },
  {
    name: "the package installed, upgraded and removed under a real systemd",
    tier: "gate",
    seconds: 900,
    needs: ["nspawn", "packageTools", "debianPostgres"],
    node: shipped,
    env: on("embedded"),
    command: npm("test", "systemd/"),
  },

  {
    name: "the suite on Debian's PostgreSQL",
    tier: "full",
    seconds: 3_600,
    needs: ["debianPostgres"],
    node: shipped,
    env: on("debian"),
    command: suite,
  },
  {
    name: "each scenario of chaos by itself",
    tier: "full",
    seconds: 1_800,
    node: shipped,
    env: on("embedded"),
    command: npm("test", eachScenario),
  },
  ...[2, 3].map((seed) => ({
    name: `chaos for ten minutes, seed ${seed}`,
    tier: "full",
    seconds: 1_200,
    node: shipped,
    command: npm("chaos", "--minutes", "10", "--seed", String(seed)),
  })),
  {
    name: "fuzzing for ten minutes",
    tier: "full",
    seconds: 1_200,
    node: shipped,
    command: npm("fuzz", "--minutes", "10"),
  },
  ...[1, 2].map((seed) => ({
    name: `a hundred scripts of whoever changes rows, seed ${seed}`,
    tier: "full",
    seconds: 1_200,
    node: shipped,
    env: { ...on("embedded"), BLOCKMILL_TEST_SEED: String(seed), BLOCKMILL_TEST_SCRIPTS: "100" },
    command: npm("test", "model/one-door"),
  })),
  {
    name: "tests on a PostgreSQL in a container",
    tier: "full",
    seconds: 1_800,
    needs: ["docker", "postgresImage"],
    env: on("container"),
    command: npm("test", "db/", "queue/", "store/", "support/"),
  },
  ...apart.map((part) => ({
    name: `the tests of ${part}`,
    tier: "full",
    seconds: 1_800,
    needs: [`tests:${part}`, ...(part === "browser/" ? ["chromium"] : [])],
    command: npm("test", part),
  })),
];
