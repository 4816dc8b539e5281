"""One paper, one file: masked autoencoders that learn from images without labels."""

from rsedu.models.croma import Croma, CromaConfig
from rsedu.models.croma_pretraining import CromaTraining, CromaTrainingConfig
from rsedu.models.laplacian import Bands, LaplacianDecoder, merge_bands, split_bands
from rsedu.models.mae import MAE, MAEConfig, MaskedAutoencoder, Reconstruction
from rsedu.models.published import NonCommercialWeightsWarning
from rsedu.models.scalemae import ScaleMAE, ScaleMAEConfig
from rsedu.models.vit import Encoder, ViTSize

__all__ = [
    "MAE",
    "Bands",
    "Croma",
    "CromaConfig",
    "CromaTraining",
    "CromaTrainingConfig",
    "Encoder",
    "LaplacianDecoder",
    "MAEConfig",
    "MaskedAutoencoder",
    "NonCommercialWeightsWarning",
    "Reconstruction",
    "ScaleMAE",
    "ScaleMAEConfig",
    "ViTSize",
    "merge_bands",
    "split_bands",
]
