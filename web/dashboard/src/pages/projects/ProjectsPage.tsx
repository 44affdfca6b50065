import { useEffect, useState } from "preact/hooks";
import { useSession } from "../../state/session";
import { useRound } from "../../state/useQuery";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { EmptyState } from "../../ui/States";
import { NewProject } from "./NewProject";
import { ProjectCard } from "./ProjectCard";
import "../pages.css";
import "./projects.css";

const REFRESH_SECONDS = 60;
const SEARCH_FROM = 5; // fewer projects are seen at a glance

export function ProjectsPage() {
  const session = useSession();
  const [search, setSearch] = useState("");
  const [making, setMaking] = useState(false);
  const round = useRound(REFRESH_SECONDS);
  useEffect(() => {
    document.title = "Projects · weir";
  }, []);
  const projects = session?.projects ?? [];
  const mayCreate = session?.user?.role === "owner";
  const wanted = search.trim().toLowerCase();
  const shown = projects.filter((project) => project.name.toLowerCase().includes(wanted));
  const create = mayCreate ? (
    <Button look="primary" onClick={() => setMaking(true)}>
      <Icon name="plus" /> New project
    </Button>
  ) : null;
  return (
    <>
      <div class="page-head">
        <h1>Projects</h1>
        {projects.length >= SEARCH_FROM ? (
          <input
            class="input projects-search"
            type="search"
            placeholder="Search"
            aria-label="Search the projects"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        ) : null}
        {projects.length > 0 ? create : null}
      </div>
      {projects.length === 0 ? (
        <div class="card">
          <EmptyState title="No project yet">
            {mayCreate ? (
              <>
                <p>A project is one site or app: its events, its numbers, its people.</p>
                {create}
              </>
            ) : (
              <p>Ask an administrator to let you into theirs; it will be here then.</p>
            )}
          </EmptyState>
        </div>
      ) : shown.length === 0 ? (
        <EmptyState title={`No project's name holds “${search.trim()}”`}>
          <Button small onClick={() => setSearch("")}>
            Show all {projects.length}
          </Button>
        </EmptyState>
      ) : (
        <ul class="projects">
          {shown.map((project) => (
            <ProjectCard key={project.id} project={project} round={round} />
          ))}
        </ul>
      )}
      {making ? <NewProject onClose={() => setMaking(false)} /> : null}
    </>
  );
}
