import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ErrorState, Skeleton } from "../ui/States";

// A component whose code is fetched when it is first shown; `height` in rem is held free for it meanwhile (0: nothing).
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>, height: number): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazy(props: Props) {
    const [Component, setComponent] = useState<ComponentType<Props> | null>(() => loaded);
    const [error, setError] = useState<string | null>(null);
    const [round, setRound] = useState(0);
    useEffect(() => {
      if (Component) return;
      let gone = false;
      load().then(
        (component) => {
          loaded = component;
          if (!gone) setComponent(() => component);
        },
        (why: unknown) => {
          if (!gone) setError(why instanceof Error ? why.message : String(why));
        },
      );
      return () => {
        gone = true;
      };
    }, [Component, round]);
    const retry = () => {
      setError(null);
      setRound((n) => n + 1);
    };
    if (error) return <ErrorState what="This part could not be loaded" message={error} onRetry={retry} />;
    if (Component) return <Component {...props} />;
    return height > 0 ? <Skeleton height={height} /> : null;
  };
}
