import "uplot/dist/uPlot.min.css";
import { lazy } from "./lazy";

// The graph's code is fetched while the first answers are on their way, and not before them.
const load = () => import("../charts/TimeGraph").then((module) => module.TimeGraph);
load().catch(() => undefined); // told where the graph is shown

export const LazyGraph = lazy(load, 18.67);
