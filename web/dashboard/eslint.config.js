import tseslint from "typescript-eslint";

// Imports point one way: main, pages, reports, then charts, ui, state, api, format; charts and ui import format alone.
const FOLDERS = ["pages", "reports", "charts", "ui", "state", "api", "format"];
const MAY = {
  pages: ["pages", "reports", "charts", "ui", "state", "api", "format"],
  reports: ["reports", "charts", "ui", "state", "api", "format"],
  state: ["state", "api", "format"],
  api: ["api", "format"],
  charts: ["charts", "format"],
  ui: ["ui", "format"],
  format: ["format"],
};
const arrows = Object.entries(MAY).map(([folder, may]) => ({
  files: [`src/${folder}/**/*.{ts,tsx}`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${FOLDERS.filter((other) => !may.includes(other)).join("|") || "(?!)"})/`,
            message: `${folder} may import ${may.join(", ")} only`,
          },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["node_modules"] },
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ["error", "always"],
      "no-console": "error",
      "max-lines": ["error", 700],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: "text goes through Preact, which escapes it",
        },
        { selector: "MemberExpression[property.name=/^(innerHTML|outerHTML)$/]", message: "build elements instead" },
      ],
    },
  },
  ...arrows,
);
