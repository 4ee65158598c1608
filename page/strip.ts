import { useEffect, useRef, useState } from "preact/hooks";
import type { ChainAnswer } from "../src/web/answers.js";
import { count, plural } from "../src/wording.js";
import { html } from "./html.js";
import { kinds, slicesOf, tellPart } from "./kinds.js";
import { colour, useColours } from "./theme.js";
import { useRead } from "./use-read.js";

interface View {
  from: number;
  to: number;
}

/** The least that is shown, and how much nearer one step comes. */
const leastBlocks = 24;
const nearer = 8;

/** All of the chain, to be zoomed down to single blocks. */
export function Strip({ open }: { open(block: number): void }) {
  const [view, setView] = useState<View | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [width, setWidth] = useState(0);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const dragged = useRef<{ part: number; x: number } | null>(null);
  const colours = useColours();
  const parts = Math.max(60, Math.min(600, Math.floor(width / 3)));
  const of = view === null ? "" : `&from=${view.from}&to=${view.to}`;
  const { value, error } = useRead<ChainAnswer>(
    width === 0 ? undefined : `/api/chain?parts=${parts}${of}`,
    4_000,
  );
  const strip = value?.strip ?? null;
  const bounds = value?.bounds ?? null;

  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // `colours` only says that they changed.
  useEffect(() => {
    const element = canvas.current;
    if (element === null || strip === null || width === 0) return;
    const height = element.clientHeight;
    const ratio = devicePixelRatio;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    const context = element.getContext("2d");
    if (context === null) return;
    context.scale(ratio, ratio);
    const named = Object.fromEntries([...kinds.map(({ name }) => name)].map((name) => [name, colour(name)]));
    const each = width / strip.parts.length;
    const gap = each > 6 ? 1 : 0;
    for (const [i, part] of strip.parts.entries()) {
      let top = 0;
      for (const { kind, share } of slicesOf(part, strip.size)) {
        context.fillStyle = named[kind] ?? "";
        const left = Math.round(i * each * ratio) / ratio;
        const right = Math.round((i + 1) * each * ratio) / ratio;
        context.fillRect(left, top * height, right - left - gap, Math.ceil(share * height));
        top += share;
      }
    }
    if (at === null) return;
    context.strokeStyle = colour("ink");
    context.lineWidth = 2;
    context.strokeRect(at * each + 1, 1, Math.max(3, each - 2), height - 2);
  }, [strip, width, at, colours]);

  const show = (from: number, to: number): void => {
    if (bounds === null) return;
    const blocks = Math.max(leastBlocks, to - from + 1);
    setAt(null);
    if (blocks >= bounds.to - bounds.from + 1) {
      setView(null);
      return;
    }
    const first = Math.max(
      bounds.from,
      Math.min(bounds.to - blocks + 1, Math.round((from + to + 1 - blocks) / 2)),
    );
    setView({ from: first, to: first + blocks - 1 });
  };
  const around = (block: number, blocks: number): void =>
    show(block - Math.floor(blocks / 2), block + Math.ceil(blocks / 2));
  const now = view ?? bounds;
  const length = now === null ? 0 : now.to - now.from + 1;
  const middle = now === null ? 0 : Math.floor((now.from + now.to) / 2);
  const move = (by: number): void => {
    if (now !== null) show(now.from + Math.round(by * length), now.to + Math.round(by * length));
  };
  const firstOf = (part: number): number => (strip === null ? 0 : strip.from + part * strip.size);
  const lastOf = (part: number): number => (strip === null ? 0 : Math.min(strip.to, firstOf(part + 1) - 1));
  const enter = (part: number): void => {
    if (strip === null) return;
    if (strip.size === 1) open(firstOf(part));
    else
      around(firstOf(part) + Math.floor(strip.size / 2), Math.max(leastBlocks, Math.round(length / nearer)));
  };
  const partAt = (event: PointerEvent): number => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const shown = strip?.parts.length ?? 1;
    return Math.max(0, Math.min(shown - 1, Math.floor(((event.clientX - box.left) / box.width) * shown)));
  };
  const onKey = (event: KeyboardEvent): void => {
    const shown = strip?.parts.length ?? 0;
    const here = at ?? Math.floor(shown / 2);
    const keys: Record<string, () => void> = {
      ArrowLeft: () => setAt(Math.max(0, here - 1)),
      ArrowRight: () => setAt(Math.min(shown - 1, here + 1)),
      PageUp: () => move(-0.8),
      PageDown: () => move(0.8),
      Home: () => setAt(0),
      End: () => setAt(shown - 1),
      Enter: () => enter(here),
      "+": () => around(firstOf(here), Math.round(length / nearer)),
      "-": () => around(middle, length * nearer),
      Escape: () => {
        setView(null);
        setAt(null);
      },
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  const part = at === null ? undefined : strip?.parts[at];
  const told =
    strip === null || now === null
      ? (error ?? "Nothing is stored, and nothing was asked for yet.")
      : at === null
        ? `${plural(length, "block")} in view, ${strip.size === 1 ? "one" : count(strip.size)} a bar`
        : `${firstOf(at) === lastOf(at) ? `block ${count(firstOf(at))}` : `${count(firstOf(at))} to ${count(lastOf(at))}`}: ${tellPart(part, strip.size)}`;
  return html`
    <section class="card" aria-labelledby="chain-title">
      <header class="card-head">
        <h2 id="chain-title">The chain</h2>
        <div class="tools" role="group" aria-label="What the strip shows">
          <button type="button" onClick=${() => move(-0.5)} disabled=${view === null} aria-label="earlier blocks">←</button>
          <button type="button" onClick=${() => move(0.5)} disabled=${view === null} aria-label="later blocks">→</button>
          <button type="button" onClick=${() => around(middle, length * nearer)} disabled=${view === null} aria-label="farther">−</button>
          <button type="button" onClick=${() => around(at === null ? middle : firstOf(at), Math.round(length / nearer))} disabled=${length <= leastBlocks} aria-label="nearer">+</button>
          <button type="button" onClick=${() => setView(null)} disabled=${view === null}>All</button>
          <button type="button" onClick=${() => bounds !== null && show(bounds.to - 299, bounds.to)} disabled=${bounds === null}>Newest</button>
          <${GoTo} open=${open} />
        </div>
      </header>
      <div
        ref=${frame}
        class="strip"
        role="img"
        tabindex="0"
        aria-label=${`The chain as a strip. Arrow keys choose a bar, Enter zooms in, minus zooms out. ${told}`}
        onKeyDown=${onKey}
        onPointerMove=${(event: PointerEvent) => setAt(partAt(event))}
        onPointerLeave=${() => {
          dragged.current = null;
          setAt(null);
        }}
        onPointerDown=${(event: PointerEvent) => {
          dragged.current = { part: partAt(event), x: event.clientX };
        }}
        onPointerUp=${(event: PointerEvent) => {
          const begun = dragged.current;
          dragged.current = null;
          if (begun === null) return;
          const ended = partAt(event);
          if (Math.abs(event.clientX - begun.x) < 5) enter(ended);
          else show(firstOf(Math.min(begun.part, ended)), lastOf(Math.max(begun.part, ended)));
        }}
      >
        <canvas ref=${canvas} aria-hidden="true"></canvas>
      </div>
      <div class="ends">
        <span>${now === null ? "" : count(now.from)}</span>
        <output class="told">${told}</output>
        <span>${now === null ? "" : count(now.to)}</span>
      </div>
      <ul class="legend" aria-label="Colours">
        ${[...kinds].reverse().map(({ name, says }) => html`<li key=${name}><i class=${`swatch ${name}`}></i>${says}</li>`)}
        <li><i class="swatch none"></i>not asked for</li>
      </ul>
    </section>
  `;
}

function GoTo({ open }: { open(block: number): void }) {
  const onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    const input = (event.currentTarget as HTMLFormElement).elements.namedItem("block") as HTMLInputElement;
    const digits = input.value.replaceAll(/[,_\s]/g, "");
    if (/^\d{1,15}$/.test(digits)) open(Number(digits));
    else input.select();
  };
  return html`<form class="goto" onSubmit=${onSubmit}>
    <input name="block" inputmode="numeric" autocomplete="off" placeholder="Block …" aria-label="Number of a block" />
    <button type="submit">Show</button>
  </form>`;
}
