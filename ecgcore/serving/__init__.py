"""The tested model leaves the house: an ensemble, its predictions. Must not know how it was trained."""
