-- Costs are few among all events, and asked for together.
CREATE INDEX event_cost ON event (experiment, day) WHERE kind = 5;
