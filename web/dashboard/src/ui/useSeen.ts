import { useEffect, useRef, useState } from "preact/hooks";

// Whether the element has come near the window; once it has, it stays so. What is far below is not loaded before.
export function useSeen<T extends Element>(): { ref: { current: T | null }; seen: boolean } {
  const ref = useRef<T>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (seen || !ref.current) return;
    const watcher = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
      },
      { rootMargin: "300px" },
    );
    watcher.observe(ref.current);
    return () => watcher.disconnect();
  }, [seen]);
  return { ref, seen };
}
