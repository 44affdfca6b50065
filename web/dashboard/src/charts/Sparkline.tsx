// A row of numbers as a line without axes; `title` says it in words. The table twin is the page it leads to.
export function Sparkline({ values, title, width = 240, height = 48 }: { values: readonly number[]; title: string; width?: number; height?: number }) {
  if (values.length < 2) return <svg class="spark" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title} />;
  const largest = Math.max(...values, 1);
  const x = (index: number) => (index / (values.length - 1)) * width;
  const y = (value: number) => height - 2 - (value / largest) * (height - 6);
  const line = values.map((value, index) => `${index === 0 ? "M" : "L"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={title}>
      <path d={`${line}L${width} ${height}L0 ${height}Z`} fill="var(--graph-fill)" />
      <path d={line} fill="none" stroke="var(--graph-line)" stroke-width="1.75" vector-effect="non-scaling-stroke" stroke-linejoin="round" />
    </svg>
  );
}
