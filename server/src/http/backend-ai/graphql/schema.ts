import { buildSchema } from 'graphql';

/** What real servers of this age have, as far as it can be answered truthfully here. JSONString: text that holds JSON. */
export const schema = buildSchema(`
scalar DateTime
scalar UUID
scalar JSONString
scalar BigInt

type Query {
  compute_session(id: UUID!): ComputeSession
  compute_session_list(limit: Int, offset: Int, filter: String, order: String, domain_name: String, group_id: String, access_key: String, status: String): ComputeSessionList

  keypair(domain_name: String, access_key: String): KeyPair
  keypairs(domain_name: String, email: String, is_active: Boolean): [KeyPair]
  keypair_list(limit: Int, offset: Int, filter: String, order: String, domain_name: String, email: String, is_active: Boolean): KeyPairList
  keypair_resource_policy(name: String): KeyPairResourcePolicy
  keypair_resource_policies: [KeyPairResourcePolicy]

  user(domain_name: String, email: String): User
  user_from_uuid(domain_name: String, user_id: String): User
  users(domain_name: String, group_id: UUID, is_active: Boolean, status: String): [User]
  user_list(limit: Int, offset: Int, filter: String, order: String, domain_name: String, group_id: UUID, is_active: Boolean, status: String): UserList

  group(id: UUID, domain_name: String): Group
  groups(domain_name: String, is_active: Boolean): [Group]
  groups_by_name(name: String!, domain_name: String): [Group]
  domain(name: String): Domain
  domains(is_active: Boolean): [Domain]

  agent(agent_id: String!): Agent
  agents(scaling_group: String, status: String): [Agent]
  agent_list(limit: Int, offset: Int, filter: String, order: String, scaling_group: String, status: String): AgentList
  scaling_group(name: String): ScalingGroup
  scaling_groups(name: String, is_active: Boolean): [ScalingGroup]

  image(reference: String!, architecture: String): Image
  images(is_installed: Boolean, is_operation: Boolean): [Image]
  resource_preset(name: String): ResourcePreset
  resource_presets: [ResourcePreset]
}

type ComputeSession {
  id: UUID
  session_id: UUID
  sess_id: String
  name: String
  session_name: String
  tag: String
  type: String
  image: String
  lang: String
  architecture: String
  registry: String
  cluster_mode: String
  cluster_size: Int
  domain_name: String
  group_name: String
  group_id: UUID
  user_email: String
  user_id: UUID
  access_key: String
  created_user_email: String
  created_user_id: UUID
  status: String
  status_info: String
  status_data: JSONString
  status_changed: DateTime
  created_at: DateTime
  terminated_at: DateTime
  starts_at: DateTime
  startup_command: String
  result: String
  agent: String
  container_id: String
  resource_opts: JSONString
  scaling_group: String
  service_ports: JSONString
  mounts: [String]
  occupied_slots: JSONString
  requested_slots: JSONString
  num_queries: BigInt
  cpu_used: BigInt
  io_read_bytes: BigInt
  io_write_bytes: BigInt
  containers: [ComputeContainer]
  dependencies: [SessionDependency]
  idle_checks: JSONString
}
type ComputeSessionList { items: [ComputeSession]! total_count: Int! }
type SessionDependency { id: UUID session_id: UUID name: String status: String result: String }

type ComputeContainer {
  id: UUID
  session_id: UUID
  role: String
  cluster_role: String
  cluster_idx: Int
  hostname: String
  cluster_hostname: String
  image: String
  architecture: String
  registry: String
  agent: String
  status: String
  status_info: String
  status_data: JSONString
  status_changed: DateTime
  created_at: DateTime
  terminated_at: DateTime
  starts_at: DateTime
  container_id: String
  resource_opts: JSONString
  occupied_slots: JSONString
  live_stat: JSONString
  last_stat: JSONString
  preopen_ports: [Int]
}

type KeyPair {
  access_key: String
  secret_key: String
  is_active: Boolean
  is_admin: Boolean
  user_id: String
  user: UUID
  full_name: String
  created_at: DateTime
  last_used: DateTime
  resource_policy: String
  concurrency_limit: Int
  concurrency_used: Int
  rate_limit: Int
  num_queries: Int
}
type KeyPairList { items: [KeyPair]! total_count: Int! }

type KeyPairResourcePolicy {
  name: String
  created_at: DateTime
  default_for_unspecified: String
  total_resource_slots: JSONString
  max_concurrent_sessions: Int
  max_containers_per_session: Int
  idle_timeout: BigInt
  max_vfolder_count: Int
  max_vfolder_size: BigInt
  allowed_vfolder_hosts: [String]
}

type User {
  id: UUID
  uuid: UUID
  email: String
  username: String
  password: String
  need_password_change: Boolean
  full_name: String
  description: String
  is_active: Boolean
  status: String
  status_info: String
  created_at: DateTime
  modified_at: DateTime
  domain_name: String
  role: String
  groups: [UserGroup]
}
type UserGroup { id: UUID name: String }
type UserList { items: [User]! total_count: Int! }

type Group {
  id: UUID
  name: String
  description: String
  is_active: Boolean
  created_at: DateTime
  modified_at: DateTime
  domain_name: String
  total_resource_slots: JSONString
  allowed_vfolder_hosts: [String]
  integration_id: String
  scaling_groups: [String]
}
type Domain {
  name: String
  description: String
  is_active: Boolean
  created_at: DateTime
  modified_at: DateTime
  total_resource_slots: JSONString
  allowed_vfolder_hosts: [String]
  allowed_docker_registries: [String]
  integration_id: String
  scaling_groups: [String]
}

type Agent {
  id: String
  status: String
  status_changed: DateTime
  region: String
  scaling_group: String
  schedulable: Boolean
  available_slots: JSONString
  occupied_slots: JSONString
  cpu_cur_pct: Float
  mem_cur_bytes: BigInt
  addr: String
  architecture: String
  first_contact: DateTime
  lost_at: DateTime
  version: String
  container_count: Int
}
type AgentList { items: [Agent]! total_count: Int! }

type ScalingGroup {
  name: String
  description: String
  is_active: Boolean
  is_public: Boolean
  created_at: DateTime
  driver: String
  driver_opts: JSONString
  scheduler: String
  scheduler_opts: JSONString
  wsproxy_addr: String
}

type KVPair { key: String value: String }
type ResourceLimit { key: String min: String max: String }
type Image {
  name: String
  humanized_name: String
  tag: String
  registry: String
  architecture: String
  digest: String
  installed: Boolean
  labels: [KVPair]
  aliases: [String]
  size_bytes: BigInt
  resource_limits: [ResourceLimit]
  supported_accelerators: [String]
}
type ResourcePreset { name: String resource_slots: JSONString shared_memory: BigInt }
`);
