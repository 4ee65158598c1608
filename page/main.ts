import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render } from "preact";
import { App } from "./app.js";
import { html } from "./html.js";
import { connect } from "./live.js";

const root = document.getElementById("page");
if (root === null) throw new Error("the page has no element with the id page");
const live = connect("/api/events");
live.subscribe((now) => {
  // What came with the page stays until there is something newer to show.
  if (now.answer === null) return;
  if (root.dataset.live === undefined) {
    root.replaceChildren();
    root.dataset.live = "";
  }
  render(html`<${App} live=${now} />`, root);
});
