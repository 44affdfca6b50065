export interface Tab {
  key: string;
  title: string;
}

// One row of tabs; the arrow keys move between them. The panel they switch carries `panelId`.
export function Tabs({
  label,
  tabs,
  selected,
  panelId,
  onSelect,
}: {
  label: string;
  tabs: readonly Tab[];
  selected: string;
  panelId?: string;
  onSelect: (key: string) => void;
}) {
  const move = (event: KeyboardEvent, index: number) => {
    const steps: Record<string, number> = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const wrapped = (next + tabs.length) % tabs.length;
    const list = (event.currentTarget as HTMLElement).parentElement;
    onSelect(tabs[wrapped]!.key);
    (list?.children[wrapped] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label}>
      {tabs.map((tab, index) => (
        <button
          key={tab.key}
          type="button"
          role="tab"
          class="tab"
          aria-selected={tab.key === selected}
          aria-controls={panelId}
          tabIndex={tab.key === selected ? 0 : -1}
          onClick={() => onSelect(tab.key)}
          onKeyDown={(event) => move(event, index)}
        >
          {tab.title}
        </button>
      ))}
    </div>
  );
}
