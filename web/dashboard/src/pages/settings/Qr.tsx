import qrcode from "qrcode-generator";
import { useMemo } from "preact/hooks";

// The text as a square that phones read, dark on white whatever the theme.
export function Qr({ text, title }: { text: string; title: string }) {
  const { size, path } = useMemo(() => {
    const code = qrcode(0, "M");
    code.addData(text);
    code.make();
    const count = code.getModuleCount();
    let drawn = "";
    for (let row = 0; row < count; ++row) for (let column = 0; column < count; ++column) if (code.isDark(row, column)) drawn += `M${column} ${row}h1v1h-1z`;
    return { size: count, path: drawn };
  }, [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={title} shape-rendering="crispEdges">
      <path d={path} fill="#000" />
    </svg>
  );
}
