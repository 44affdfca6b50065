// What the tabs of a project's settings are given; those of weir itself need nothing.
export interface TabProps {
  project: string;
  admin: boolean; // may change what concerns the whole project
  owner: boolean;
}
