// Who may import whom in src. test/layers.test.ts runs these rules.

/** From the top down: a layer imports those below it, never those above it. Braces: side by side. */
const layers = [
  ["cli"],
  ["supervisor"],
  ["orchestrator"],
  ["worker"],
  ["pipeline"],
  ["direct"],
  ["web"],
  ["status"],
  ["feed"],
  ["queue"],
  ["chain"],
  ["decode", "transform", "store"],
  ["child"],
  ["db"],
  ["config"],
  ["abi"],
  ["fields", "metrics"],
];

/** The same inside src/chain; "" is its own files. */
const chainLayers = [["heads"], [""], ["endpoints"], ["endpoint"], ["parse", "verify"]];

const inChain = (names) =>
  `^src/chain/(${names.map((name) => (name === "" ? "[^/]+$" : `${name}/`)).join("|")})`;

const folders = (names) => `^src/(${names.join("|")})/`;

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    // The single files of src itself are below every folder but fields and metrics, which know nobody.
    {
      name: "never-up",
      severity: "error",
      from: { path: "^src/[^/]+$" },
      to: { path: "^src/[^/]+/", pathNot: folders(["fields", "metrics"]) },
    },
    {
      name: "never-up",
      severity: "error",
      from: { path: folders(["fields", "metrics"]) },
      to: { path: "^src/[^/]+$" },
    },
    ...layers.slice(1).map((layer, index) => ({
      name: "never-up",
      severity: "error",
      from: { path: folders(layer) },
      to: { path: folders(layers.slice(0, index + 1).flat()) },
    })),
    ...chainLayers.slice(1).map((layer, index) => ({
      name: "never-up-in-chain",
      severity: "error",
      from: { path: inChain(layer) },
      to: { path: inChain(chainLayers.slice(0, index + 1).flat()) },
    })),
    {
      name: "known-layer",
      comment: "A new folder of src needs its place in the list above.",
      severity: "error",
      from: {},
      to: { path: "^src/[^/]+/", pathNot: folders(layers.flat()) },
    },
    {
      name: "known-layer",
      severity: "error",
      from: {},
      to: { path: "^src/chain/[^/]+/", pathNot: inChain(chainLayers.flat()) },
    },
    { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
    {
      name: "queue-knows-no-store",
      comment:
        "Only the pipeline and the orchestrator's reorg bring the queue and the chain's rows together.",
      severity: "error",
      from: { path: "^src/queue/" },
      to: { path: "^src/store/" },
    },
    {
      name: "one-door",
      comment:
        "Rows that others have counted or published are removed and rewritten by pipeline/change-rows.ts alone.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/pipeline/change-rows[.]ts$" },
      to: { path: "^src/store/delete-[^/]+$" },
    },
    {
      name: "supervisor-forks-by-file",
      comment: "The supervisor does no chain work: what its children run is not in its process.",
      severity: "error",
      from: { path: "^src/supervisor/" },
      to: { path: folders(["orchestrator", "worker", "pipeline", "web"]) },
    },
    {
      name: "src-ships-alone",
      comment: "Only src and what package.json calls dependencies is installed.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench)/" },
    },
    {
      name: "src-ships-alone",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "resolvable",
      comment: "What is generated from the fields is there only where the direct way is compiled.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^\\./generated/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // Type imports count: a circle of types is a circle.
    tsPreCompilationDeps: true,
    combinedDependencies: false,
  },
};
