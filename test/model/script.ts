// The scripts that the model tests play: what may happen to a chain, its endpoints and those who follow
// it. Their arbitraries shrink to the shortest script that still fails.

import fc from "fast-check";

export type Step =
  | { do: "mine"; blocks: number }
  | { do: "reorg"; depth: number; length: number }
  | { do: "switch back"; to: number }
  | { do: "lag"; endpoint: number; blocks: number }
  | { do: "lie"; endpoint: number; depth: number; length: number }
  | { do: "down"; endpoint: number }
  | { do: "heal"; endpoint: number }
  | { do: "follow"; endpoint: number }
  | { do: "start a batch"; worker: number; blocks: number }
  | { do: "commit a batch"; worker: number }
  | { do: "kill a worker"; worker: number }
  | { do: "kill the follower" }
  | { do: "archive" }
  | { do: "ask for a block"; back: number }
  | { do: "ask for a range"; back: number; blocks: number }
  | { do: "at once"; steps: Step[] };

const small = (max: number, min = 0) => fc.integer({ min, max });

export function stepOf({
  endpoints,
  workers,
  maxDepth,
}: {
  endpoints: number;
  workers: number;
  maxDepth: number;
}): fc.Arbitrary<Step> {
  const endpoint = small(endpoints - 1);
  const worker = small(workers - 1);
  const does = <D extends Step["do"]>(name: D) => fc.constant(name);
  // A follower takes one head at a time.
  const atOnce = fc.uniqueArray(
    fc.oneof<fc.Arbitrary<Step>[]>(
      fc.record({ do: does("follow"), endpoint }),
      fc.record({ do: does("commit a batch"), worker: fc.constant(0) }),
      fc.record({ do: does("commit a batch"), worker: fc.constant(1) }),
      fc.record({ do: does("archive") }),
      fc.record({ do: does("ask for a block"), back: small(12) }),
    ),
    {
      minLength: 2,
      maxLength: 4,
      selector: (step) => (step.do === "follow" ? step.do : JSON.stringify(step)),
    },
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: does("at once"), steps: atOnce }) },
    { weight: 4, arbitrary: fc.record({ do: does("mine"), blocks: small(3, 1) }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: does("reorg"), depth: small(maxDepth, 1), length: small(maxDepth + 2, 1) }),
    },
    { weight: 1, arbitrary: fc.record({ do: does("switch back"), to: small(3) }) },
    { weight: 1, arbitrary: fc.record({ do: does("lag"), endpoint, blocks: small(6, 1) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: does("lie"), endpoint, depth: small(maxDepth, 1), length: small(8, 1) }),
    },
    { weight: 1, arbitrary: fc.record({ do: does("down"), endpoint }) },
    { weight: 2, arbitrary: fc.record({ do: does("heal"), endpoint }) },
    { weight: 7, arbitrary: fc.record({ do: does("follow"), endpoint }) },
    { weight: 6, arbitrary: fc.record({ do: does("start a batch"), worker, blocks: small(8, 1) }) },
    { weight: 5, arbitrary: fc.record({ do: does("commit a batch"), worker }) },
    { weight: 1, arbitrary: fc.record({ do: does("kill a worker"), worker }) },
    { weight: 1, arbitrary: fc.record({ do: does("kill the follower") }) },
    { weight: 1, arbitrary: fc.record({ do: does("archive") }) },
    { weight: 1, arbitrary: fc.record({ do: does("ask for a block"), back: small(12) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: does("ask for a range"), back: small(12), blocks: small(10, 1) }),
    },
  );
}
