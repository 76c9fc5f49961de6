//! The face for agents: the operations as tools, resources and prompts of the Model Context Protocol.
