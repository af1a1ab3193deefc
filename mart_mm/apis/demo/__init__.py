"""The main job on planted affect: plant, train, hold against the truth, draw."""
