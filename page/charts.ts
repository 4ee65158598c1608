import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { HistoryAnswer } from "../src/web/answers.js";
import { count, rate, span } from "../src/wording.js";
import { html } from "./html.js";
import { colour, useColours } from "./theme.js";
import { useRead } from "./use-read.js";

const spans = [
  { name: "15m", says: "15 min" },
  { name: "6h", says: "6 h" },
  { name: "7d", says: "7 days" },
] as const;

type Numbers = (number | null)[];

/** A line of a chart, or a layer of a stack. */
interface Line {
  label: string;
  colour: string;
  values: Numbers;
  /** On the axis on the right. */
  isRight?: boolean;
  says(value: number): string;
}

interface Chart {
  title: string;
  unit: string;
  lines: Line[];
  isStacked?: boolean;
  isLog?: boolean;
  /** A line across, and what it means. */
  wanted?: { value: number; says: string };
  says(value: number): string;
}

/** A block is to be there within this time after it was announced. */
const wantedSeconds = 30;
const endpointColours = ["series-1", "series-2", "series-3", "series-4", "series-5", "series-6"];
const stages = [
  { name: "queue", says: "waits in the queue", colour: "series-6" },
  { name: "fetch", says: "fetch", colour: "series-1" },
  { name: "verify", says: "verify", colour: "series-3" },
  { name: "encode", says: "encode", colour: "series-4" },
  { name: "commit", says: "batch and commit", colour: "series-2" },
];

/** How work went: four charts on one time axis. */
export function Charts() {
  const [name, setName] = useState<(typeof spans)[number]["name"]>("15m");
  const { value, error } = useRead<HistoryAnswer>(`/api/history?span=${name}`, 10_000);
  const marks = value?.marks ?? [];
  return html`<section class="charts" aria-labelledby="charts-title">
    <header class="card-head">
      <h2 id="charts-title">How it went</h2>
      <div class="tools segments" role="group" aria-label="Time shown">
        ${spans.map(
          (each) =>
            html`<button type="button" key=${each.name} aria-pressed=${each.name === name ? "true" : "false"} onClick=${() => setName(each.name)}>${each.says}</button>`,
        )}
      </div>
    </header>
    ${
      value === null || value.samples.length === 0
        ? html`<p class="card empty">${error ?? "No sample yet: the leading daemon writes one every ten seconds."}</p>`
        : html`<div class="chart-grid">
            ${chartsOf(value).map((chart) => html`<${Plot} key=${chart.title} chart=${chart} history=${value} />`)}
          </div>`
    }
    ${
      marks.length > 0 &&
      html`<ol class="marks" aria-label="What happened, the newest first">
        ${[...marks]
          .reverse()
          .slice(0, 6)
          .map(
            (mark) =>
              html`<li key=${`${mark.at} ${mark.says}`}><i class=${`mark ${mark.kind}`}></i><time>${clock(mark.at, name === "7d")}</time> ${mark.kind}: ${mark.says.replaceAll("_", " ")}</li>`,
          )}
      </ol>`
    }
  </section>`;
}

/** `14:05:09`; with the day where that is not today. */
function clock(at: number, withDay: boolean): string {
  const date = new Date(at * 1_000);
  const time = date.toLocaleTimeString("en-GB", withDay ? { hour: "2-digit", minute: "2-digit" } : {});
  return withDay ? `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time}` : time;
}

function chartsOf({ samples, step }: HistoryAnswer): Chart[] {
  const names = [...new Set(samples.flatMap(({ endpoints }) => Object.keys(endpoints)))].sort();
  const shown = names.slice(0, endpointColours.length - 1);
  const others = names.slice(shown.length);
  const perSecond = (value: number) => `${rate(value)}/s`;
  const byEndpoint: Line[] = shown.map((endpoint, i) => ({
    label: endpoint === "" ? "no endpoint told" : endpoint,
    colour: endpointColours[i] ?? "",
    values: samples.map(({ endpoints }) => (endpoints[endpoint] ?? 0) / step),
    says: perSecond,
  }));
  if (others.length > 0)
    byEndpoint.push({
      label: `${others.length} others`,
      colour: endpointColours.at(-1) ?? "",
      values: samples.map(
        ({ endpoints }) => others.reduce((sum, each) => sum + (endpoints[each] ?? 0), 0) / step,
      ),
      says: perSecond,
    });
  const nothing: Line = {
    label: "committed",
    colour: "series-1",
    values: samples.map(({ blocks }) => blocks / step),
    says: perSecond,
  };
  const logged = (value: number | null): number | null => (value === null ? null : Math.max(0.001, value));
  return [
    {
      title: "Blocks a second, by endpoint",
      unit: "/s",
      lines: byEndpoint.length === 0 ? [nothing] : byEndpoint,
      isStacked: true,
      says: rate,
    },
    {
      title: "From announced to committed",
      unit: "s",
      isLog: true,
      lines: [
        {
          label: "half within",
          colour: "series-1",
          values: samples.map(({ headP50 }) => logged(headP50)),
          says: seconds,
        },
        {
          label: "99 % within",
          colour: "series-2",
          values: samples.map(({ headP99 }) => logged(headP99)),
          says: seconds,
        },
      ],
      wanted: { value: wantedSeconds, says: `wanted: within ${wantedSeconds} s` },
      says: span,
    },
    {
      title: "What waits",
      unit: "",
      lines: [
        { label: "jobs", colour: "series-1", values: samples.map(({ waiting }) => waiting), says: atLeast },
        {
          label: "the oldest, for",
          colour: "series-2",
          values: samples.map(({ waitingSeconds }) => waitingSeconds),
          isRight: true,
          says: span,
        },
      ],
      says: short,
    },
    {
      title: "Where a block's time goes",
      unit: "ms",
      isStacked: true,
      lines: stages.map((stage) => ({
        label: stage.says,
        colour: stage.colour,
        values: samples.map((sample) =>
          sample.blocks === 0 ? null : ((sample.stages[stage.name] ?? 0) * 1_000) / sample.blocks,
        ),
        says: milliseconds,
      })),
      says: milliseconds,
    },
  ];
}

const atLeast = (jobs: number): string => (jobs >= 20_000 ? "at least 20,000" : count(jobs));

function short(value: number): string {
  return value >= 1_000 ? `${rate(value / 1_000).replace(/\.?0+$/, "")}k` : count(value);
}

const seconds = (value: number): string => milliseconds(value * 1_000);

function milliseconds(ms: number): string {
  if (ms >= 1_000) return span(ms / 1_000);
  return `${ms >= 10 || ms === 0 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

/** A time of which nothing is known is a hole: a row of nulls where a sample is missing. */
function withHoles(at: readonly number[], columns: readonly Numbers[], step: number): [number[], Numbers[]] {
  const times: number[] = [];
  const filled: Numbers[] = columns.map(() => []);
  for (const [i, time] of at.entries()) {
    const before = times.at(-1);
    if (before !== undefined && time - before > step * 1.5) {
      times.push(before + step);
      for (const column of filled) column.push(null);
    }
    times.push(time);
    for (const [c, column] of filled.entries()) column.push(columns[c]?.[i] ?? null);
  }
  return [times, filled];
}

/** Each layer upon those before it. */
function stacked(columns: readonly Numbers[]): Numbers[] {
  let below: Numbers | undefined;
  return columns.map((column) => {
    const layer: Numbers = column.map((value, i) => (value === null ? null : value + (below?.[i] ?? 0)));
    below = layer;
    return layer;
  });
}

const height = 168;

function Plot({ chart, history }: { chart: Chart; history: HistoryAnswer }) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const marks = useRef(history.marks);
  const range = useRef([0, 0] as [number, number]);
  const colours = useColours();
  const [at, setAt] = useState<number | null>(null);
  marks.current = history.marks;
  range.current = [history.now - history.spanSeconds, history.now];
  const [times, columns] = withHoles(
    history.samples.map((sample) => sample.at + history.step / 2),
    chart.lines.map(({ values }) => values),
    history.step,
  );
  const layers = chart.isStacked ? stacked(columns) : columns;
  const shape = chart.lines.map(({ label, colour: name }) => `${label} ${name}`).join();

  // The data is set below; `colours` only says that they changed.
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const made = makePlot(element, chart, {
      data: [times, ...layers] as uPlot.AlignedData,
      marks: () => marks.current,
      range: () => range.current,
      onCursor: setAt,
    });
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, colours, history.spanSeconds]);
  // Whatever was read is new data.
  useEffect(() => {
    plot.current?.setData([times, ...layers] as uPlot.AlignedData);
  }, [history]);

  const index = at !== null && at < times.length ? at : times.length - 1;
  const told = chart.lines.map(({ label, says }, i) => {
    const value = columns[i]?.[index] ?? null;
    return { label, text: value === null ? "–" : says(value) };
  });
  const summary = told.map(({ label, text }) => `${label} ${text}`).join(", ");
  return html`<figure class="card chart">
    <figcaption>
      <h3>${chart.title}</h3>
      <ul class="values">
        ${told.map(
          ({ label, text }, i) =>
            html`<li key=${label}><i class=${`line ${chart.lines[i]?.colour}`}></i><span class="label">${label}</span> <b>${text}</b></li>`,
        )}
        ${chart.wanted !== undefined && html`<li><i class="line wanted"></i><span class="label">${chart.wanted.says}</span></li>`}
      </ul>
    </figcaption>
    <div ref=${frame} class="plot" role="img" aria-label=${`${chart.title}: ${summary}`}></div>
  </figure>`;
}

function makePlot(
  element: HTMLElement,
  chart: Chart,
  {
    data,
    marks,
    range,
    onCursor,
  }: {
    data: uPlot.AlignedData;
    marks(): HistoryAnswer["marks"];
    range(): [number, number];
    onCursor(at: number | null): void;
  },
): uPlot {
  const ink = colour("ink-2");
  // On a scale of powers of ten only these have a line.
  const powers = (_: uPlot, at: number[]) => at.map((value) => (isPower(value) ? value : null));
  const grid = { stroke: colour("grid"), width: 1, ...(chart.isLog ? { filter: powers } : {}) };
  const font = "11px system-ui, sans-serif";
  const axis = { stroke: ink, grid, ticks: { show: false }, font, gap: 4 };
  const isRight = chart.lines.some((line) => line.isRight);
  const upwards: uPlot.Range.Function = (_, __, max) => [0, Math.max(max * 1.1 || 1, 0.001)];
  return new uPlot(
    {
      width: element.clientWidth,
      height,
      padding: [10, isRight ? 0 : 10, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "time" }, points: { size: 6 }, drag: { x: false, y: false }, y: false },
      scales: {
        x: { time: true, range: () => range() },
        y: chart.isLog ? { distr: 3, range: () => [0.01, 100] } : { range: upwards },
        ...(isRight ? { right: { range: upwards } } : {}),
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 24,
          space: 80,
          values: (_, at) => at.map((time) => clockShort(time, range())),
        },
        {
          ...axis,
          size: 52,
          space: 30,
          ...(chart.isLog ? { filter: powers } : {}),
          values: (_, at) =>
            at.map((value) => (value === null ? "" : chart.isLog ? logTick(value) : chart.says(value))),
        },
        ...(isRight
          ? [
              {
                ...axis,
                scale: "right",
                side: 1 as const,
                size: 52,
                grid: { show: false },
                values: (_: uPlot, at: number[]) => at.map(span),
              },
            ]
          : []),
      ],
      series: [
        {},
        ...chart.lines.map((line) => {
          const stroke = colour(line.colour);
          return {
            scale: line.isRight ? "right" : "y",
            stroke,
            width: chart.isStacked ? 1 : 1.75,
            ...(chart.isStacked ? { fill: stroke } : {}),
            points: { show: false },
            spanGaps: chart.isLog === true,
          };
        }),
      ],
      // A layer is filled down to the one below it.
      ...(chart.isStacked
        ? { bands: chart.lines.slice(1).map((_, i) => ({ series: [i + 2, i + 1] as [number, number] })) }
        : {}),
      hooks: {
        setCursor: [(self) => onCursor(self.cursor.idx ?? null)],
        draw: [
          (self) => {
            if (chart.wanted !== undefined) drawWanted(self, chart.wanted.value);
            drawMarks(self, marks());
          },
        ],
      },
    },
    data,
    element,
  );
}

const isPower = (value: number): boolean =>
  Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-6;

function logTick(value: number): string {
  return value < 1 ? `${Math.round(value * 1_000)} ms` : `${value} s`;
}

function clockShort(at: number, [from, to]: [number, number]): string {
  const date = new Date(at * 1_000);
  if (to - from > 2 * 86_400) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

function drawWanted(self: uPlot, value: number): void {
  const { ctx, bbox } = self;
  const y = Math.round(self.valToPos(value, "y", true));
  ctx.save();
  ctx.strokeStyle = colour("ink-2");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function drawMarks(self: uPlot, marks: HistoryAnswer["marks"]): void {
  const { ctx, bbox } = self;
  ctx.save();
  for (const { at, kind } of marks) {
    const x = Math.round(self.valToPos(at, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour(`mark-${kind}`);
    ctx.fillStyle = colour(`mark-${kind}`);
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const size = 4 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x - size, bbox.top);
    ctx.lineTo(x + size, bbox.top);
    ctx.lineTo(x, bbox.top + 1.5 * size);
    ctx.fill();
  }
  ctx.restore();
}
