import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/layout.css";
import { App, prepare } from "./pages/App";
import { followLinks } from "./state/router";
import { startTheme } from "./state/theme";

// What the first page takes is often there already: then it is drawn once, and not first without it.
const PATIENCE_MS = 200;

startTheme();
followLinks();
const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
void Promise.race([prepare(), patience]).then(() => render(<App />, document.getElementById("app")!));
