import { useEffect } from "preact/hooks";
import { projectPath } from "../../state/router";
import { useSession } from "../../state/session";
import { EmptyState } from "../../ui/States";

export function ProjectsPage() {
  const session = useSession();
  useEffect(() => {
    document.title = "Projects · weir";
  }, []);
  const projects = session?.projects ?? [];
  return (
    <>
      <h1>Projects</h1>
      {projects.length === 0 ? (
        <EmptyState title="No project yet">
          <p>
            Make one with <code>weir project create NAME</code>, or ask an administrator to let you into theirs.
          </p>
        </EmptyState>
      ) : (
        <ul>
          {projects.map((project) => (
            <li key={project.id}>
              <a href={projectPath(project.name)}>{project.name}</a>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
