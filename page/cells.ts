import { useRef, useState } from "preact/hooks";
import type { ChainAnswer, StatusAnswer } from "../src/web/answers.js";
import { count } from "../src/wording.js";
import { html } from "./html.js";
import { kindOf, kinds } from "./kinds.js";
import { useRead } from "./use-read.js";

const shown = 300;
/** A head that is farther away than this is not what the newest blocks go up to. */
const near = 250;

const saysOf = Object.fromEntries(kinds.map(({ name, says }) => [name, says]));

/** The newest blocks, one by one. */
export function Cells({ answer, open }: { answer: StatusAnswer; open(block: number): void }) {
  const { schema } = answer;
  const newest = schema?.newestBlock ?? null;
  const head = schema?.head?.headNumber ?? null;
  const to =
    newest === null ? head : head !== null && head >= newest && head - newest < near ? head : newest + 20;
  const jobs = schema?.jobs;
  // What can change a cell changes one of these.
  const when = `${newest} ${jobs?.completed.count} ${jobs?.processing.count} ${jobs?.failed.count} ${jobs?.scheduled.count}`;
  const from = to === null ? 0 : Math.max(0, to - shown + 1);
  const { value } = useRead<ChainAnswer>(
    to === null ? undefined : `/api/chain?from=${from}&to=${to}&parts=${shown}`,
    5_000,
    when,
  );
  const [at, setAt] = useState<number | null>(null);
  const grid = useRef<HTMLDivElement>(null);
  const strip = value?.strip ?? null;
  if (strip === null)
    return html`<section class="card" aria-labelledby="cells-title">
    <header class="card-head"><h2 id="cells-title">Newest blocks</h2></header>
    <p class="empty">No block was seen yet.</p>
  </section>`;
  const last = strip.parts.length - 1;
  const focused = Math.min(last, at ?? last);

  const onKey = (event: KeyboardEvent): void => {
    const columns =
      grid.current === null ? 1 : getComputedStyle(grid.current).gridTemplateColumns.split(" ").length;
    const by: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      Home: -last,
      End: last,
    };
    const step = by[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(last, focused + step));
    setAt(next);
    (grid.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  const onClick = (event: MouseEvent): void => {
    const block = (event.target as HTMLElement).dataset.block;
    if (block !== undefined) open(Number(block));
  };
  return html`<section class="card" aria-labelledby="cells-title">
    <header class="card-head">
      <h2 id="cells-title">Newest blocks</h2>
      <p class="aside">${count(strip.from)} to ${count(strip.to)}; a click tells a block's life</p>
    </header>
    <div class="cells" ref=${grid} role="group" aria-label="Newest blocks" onKeyDown=${onKey} onClick=${onClick}>
      ${strip.parts.map((part, i) => {
        const block = strip.from + i;
        const kind = kindOf(part);
        const says = kind === "none" ? "not asked for" : saysOf[kind];
        return html`<button
          type="button"
          key=${block}
          class=${`cell ${kind}`}
          data-block=${block}
          tabindex=${i === focused ? 0 : -1}
          title=${`${count(block)}: ${says}`}
          aria-label=${`block ${block}, ${says}`}
        ></button>`;
      })}
    </div>
  </section>`;
}
