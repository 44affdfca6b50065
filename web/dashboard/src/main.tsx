import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/layout.css";
import { App } from "./pages/App";
import { followLinks } from "./state/router";
import { startTheme } from "./state/theme";

startTheme();
followLinks();
render(<App />, document.getElementById("app")!);
