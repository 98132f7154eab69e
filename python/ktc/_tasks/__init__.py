"""Trained models at work: inference with held inputs."""
