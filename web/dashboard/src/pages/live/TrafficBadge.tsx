const LABELS: Record<string, string> = {
  human: "person",
  bot: "bot",
  ai_crawler: "AI crawler",
  monitor: "monitor",
  spam: "spam",
  internal: "internal",
};

export function TrafficBadge({ traffic }: { traffic: string }) {
  const look = traffic === "human" ? "badge badge-good" : traffic === "spam" ? "badge badge-bad" : "badge badge-warn";
  return <span class={look}>{LABELS[traffic] ?? traffic}</span>;
}
